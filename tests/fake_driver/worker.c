/* Finds the process that uses the card: this one, or a descendant, one of whose arguments says so. */
#define _GNU_SOURCE
#include "scenario.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double loaded_at;

static double clock_now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

__attribute__((constructor)) static void note_load(void) { loaded_at = clock_now(CLOCK_MONOTONIC); }

double seconds_since_load(void) { return clock_now(CLOCK_MONOTONIC) - loaded_at; }

static size_t read_proc(int pid, const char *name, char *text, size_t size) {
    char path[128];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(text, 1, size - 1, file) : 0;
    if (file) fclose(file);
    text[length] = '\0';
    return length;
}

/* A process that has ended and was not waited for has an empty command line: it holds nothing any more. */
static int matches(int pid, const char *match) {
    char line[4096];
    size_t length = read_proc(pid, "cmdline", line, sizeof line);
    for (size_t at = 0; at < length; at += strlen(line + at) + 1)
        if (!strcmp(line + at, match)) return 1;
    return 0;
}

static int find(int pid, const char *match, int depth) {
    if (matches(pid, match)) return pid;
    char path[64], children[4096];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = depth < 8 ? opendir(path) : NULL;
    if (!tasks) return 0;
    int found = 0;
    for (struct dirent *task; !found && (task = readdir(tasks));) {
        char name[512];
        snprintf(name, sizeof name, "task/%s/children", task->d_name);
        if (*task->d_name == '.' || !read_proc(pid, name, children, sizeof children)) continue;
        for (char *rest = children, *word; !found && (word = strsep(&rest, " "));)
            if (*word) found = find(atoi(word), match, depth + 1);
    }
    closedir(tasks);
    return found;
}

/* Seconds since a process began, from field 22 of its `stat`, in ticks since the machine did. */
static double age_of(int pid) {
    char stat[2048], *at;
    read_proc(pid, "stat", stat, sizeof stat);
    if (!(at = strrchr(stat, ')'))) return 0;
    for (int field = 2; field < 22 && at; field++) at = strchr(at + 1, ' ');
    return at ? clock_now(CLOCK_BOOTTIME) - strtod(at, NULL) / (double)sysconf(_SC_CLK_TCK) : 0;
}

static double rss_of(int pid) {
    char statm[256];
    read_proc(pid, "statm", statm, sizeof statm);
    char *second = strchr(statm, ' ');
    return second ? strtod(second, NULL) * (double)sysconf(_SC_PAGESIZE) : 0;
}

void worker_find(Worker *worker, const char *match) {
    worker->pid = find(getpid(), match, 0);
    worker->age = worker->pid ? age_of(worker->pid) : 0;
    worker->rss = worker->pid ? rss_of(worker->pid) : 0;
}
