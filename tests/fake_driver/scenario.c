/* Reads a scenario file, and finds what a value is at a moment. */
#define _GNU_SOURCE
#include "scenario.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name; int code; } ERRORS[] = {
    {"UNINITIALIZED", 1}, {"INVALID_ARGUMENT", 2}, {"NOT_SUPPORTED", 3}, {"NO_PERMISSION", 4},
    {"ALREADY_INITIALIZED", 5}, {"NOT_FOUND", 6}, {"INSUFFICIENT_SIZE", 7}, {"INSUFFICIENT_POWER", 8},
    {"DRIVER_NOT_LOADED", 9}, {"TIMEOUT", 10}, {"IRQ_ISSUE", 11}, {"LIBRARY_NOT_FOUND", 12},
    {"FUNCTION_NOT_FOUND", 13}, {"CORRUPTED_INFOROM", 14}, {"GPU_IS_LOST", 15}, {"RESET_REQUIRED", 16},
    {"OPERATING_SYSTEM", 17}, {"LIB_RM_VERSION_MISMATCH", 18}, {"IN_USE", 19}, {"MEMORY", 20},
    {"NO_DATA", 21}, {"VGPU_ECC_NOT_SUPPORTED", 22}, {"INSUFFICIENT_RESOURCES", 23},
    {"FREQ_NOT_SUPPORTED", 24}, {"ARGUMENT_VERSION_MISMATCH", 25}, {"DEPRECATED", 26}, {"NOT_READY", 27},
    {"GPU_NOT_FOUND", 28}, {"INVALID_STATE", 29}, {"RESET_TYPE_NOT_SUPPORTED", 30}, {"UNKNOWN", 999},
};
/* NVML counts bytes, milliwatts, millijoules, degrees and megahertz. */
static const struct { const char *suffix; double factor; } UNITS[] = {
    {"", 1}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0},
    {"W", 1000}, {"J", 1000}, {"C", 1}, {"MHz", 1}, {"s", 1}, {"ms", 0.001},
};

int error_code(const char *name) {
    if (!strncmp(name, "ERROR_", 6)) return atoi(name + 6);
    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++)
        if (!strcmp(name, ERRORS[i].name)) return ERRORS[i].code;
    return -1;
}

/* `<1B>` is a byte, in texts. */
static void put_bytes(char *text) {
    char *out = text;
    unsigned byte;
    for (const char *at = text; *at; out++)
        if (*at == '<' && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]) && at[3] == '>'
            && sscanf(at + 1, "%2X", &byte) == 1) {
            *out = (char)byte;
            at += 4;
        } else {
            *out = *at++;
        }
    *out = '\0';
}

/* ---- reading ------------------------------------------------------------------------------------------ */

static int read_number(const char *text, double *number) {
    char *end;
    *number = strtod(text, &end);
    if (end == text) return 0;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (!strcmp(end, UNITS[i].suffix)) {
            *number *= UNITS[i].factor;
            return 1;
        }
    return 0;
}

/* `180W@1.5`, `NOT_SUPPORTED`, `rss`, `rss+428MiB`, `1#20`. */
static int read_step(char *word, Step *step) {
    memset(step, 0, sizeof *step);
    char *mark = strpbrk(word, "@#");
    if (mark) {
        step->by_call = *mark == '#';
        *mark = '\0';
        if (!read_number(mark + 1, &step->from)) return 0;
    }
    if (!strncmp(word, "rss", 3)) {
        step->is_rss = 1;
        return word[3] == '\0' || (word[3] == '+' && read_number(word + 4, &step->number));
    }
    int code = error_code(word);
    if (code >= 0) step->error = code;
    return code >= 0 || read_number(word, &step->number);
}

/* `A A@1 A@2 every 3 | B B@1`: 1 if it can be read. */
static int read_value(const char *text, Value *value) {
    char copy[TEXT], *rest = copy, *word;
    snprintf(copy, sizeof copy, "%s", text);
    Schedule *schedule = &value->always;
    while ((word = strsep(&rest, " \t"))) {
        if (!*word) continue;
        if (!strcmp(word, "|")) {
            schedule = &value->working;
        } else if (!strcmp(word, "every")) {
            word = strsep(&rest, " \t");
            if (!word || !read_number(word, &schedule->period)) return 0;
        } else if (schedule->count == MAX_STEPS || !read_step(word, &schedule->steps[schedule->count++])) {
            return 0;
        }
    }
    return value->always.count > 0;
}

/* `1432 G 173MiB ; name /usr/bin/gnome-shell ; unreported` */
static int read_process(char *text, Process *process) {
    static const char *const WHO[] = {"", "child", "child-as-host", "child-hidden", "host"};
    char *rest = text, *row = strsep(&rest, ";"), *who = strsep(&row, " "), *kinds = strsep(&row, " "), *option;
    if (!who || !kinds || !row || !read_value(row, &process->bytes)) return 0;
    process->pid = (unsigned)strtoul(who, NULL, 10);
    for (int i = CHILD; i <= HOST; i++)
        if (!strcmp(who, WHO[i])) process->who = (Who)i;
    process->compute = strchr(kinds, 'C') != NULL;
    process->graphics = strchr(kinds, 'G') != NULL;
    while ((option = strsep(&rest, ";"))) {
        option += strspn(option, " ");
        if (!strncmp(option, "unreported", 10)) process->unreported = 1;
        else if (!strncmp(option, "name ", 5)) snprintf(process->name, TEXT, "%s", option + 5);
        else return 0;
    }
    size_t length = strlen(process->name);
    while (length && process->name[length - 1] == ' ') process->name[--length] = '\0';
    put_bytes(process->name);
    return process->who != GIVEN || process->pid != 0;
}

static const char *const TEXTS[] = {"driver", "uuid", "name", "capability", "child_match", "absent", "log", "error_string"};

static int read_line(char *line, Device *device) {
    char *rest = line, *key = strsep(&rest, " \t");
    if (!rest) return 0;
    rest += strspn(rest, " \t");
    if (!strcmp(key, "process"))
        return device->process_count < MAX_PROCESSES
            && read_process(rest, &device->processes[device->process_count++]);
    if (device->value_count == MAX_VALUES) return 0;
    Value *value = &device->values[device->value_count++];
    if (!strcmp(key, "fail")) { /* `fail FUNCTION VALUE` is the value of `fail:FUNCTION` */
        snprintf(value->key, TEXT, "fail:%s", strsep(&rest, " \t"));
        return rest && read_value(rest, value);
    }
    snprintf(value->key, TEXT, "%s", key);
    snprintf(value->text, TEXT, "%s", rest);
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        if (!strcmp(key, TEXTS[i])) {
            put_bytes(value->text);
            return 1;
        }
    if (!strncmp(rest, "auto every ", 11)) return read_number(rest + 11, &value->always.period);
    return !strcmp(rest, "auto") || read_value(rest, value);
}

static Device *begin_device(const char *line, Scenario *scenario, Device **gpu) {
    if (scenario->device_count == MAX_DEVICES) return NULL;
    Device *device = &scenario->devices[scenario->device_count++];
    if (!strcmp(line, "[slice]")) device->parent = *gpu;
    else if (!strcmp(line, "[gpu]")) *gpu = device;
    else return NULL;
    return device;
}

int scenario_read(const char *path, Scenario *scenario) {
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    char line[LINE];
    int number = 0, fine = 1;
    Device *device = &scenario->global, *gpu = NULL;
    while (fine && fgets(line, sizeof line, file)) {
        number++;
        char *comment = strstr(line, "# ");
        if (comment) *comment = '\0';
        size_t length = strlen(line);
        while (length && isspace((unsigned char)line[length - 1])) line[--length] = '\0';
        if (!length || *line == '#') continue;
        if (*line == '[') fine = (device = begin_device(line, scenario, &gpu)) != NULL;
        else fine = read_line(line, device);
    }
    fclose(file);
    return fine ? 0 : number;
}

/* ---- asking ------------------------------------------------------------------------------------------- */

/* The last line with this key: a scenario that is made from another appends its own. */
Value *value_named(Device *device, const char *key) {
    for (int i = device->value_count - 1; i >= 0; i--)
        if (!strcmp(device->values[i].key, key)) return &device->values[i];
    return NULL;
}

const char *text_of(Device *device, const char *key, const char *otherwise) {
    Value *value = value_named(device, key);
    return value ? value->text : otherwise;
}

double plain_number(Device *device, const char *key, double otherwise) {
    Value *value = value_named(device, key);
    return value && value->always.count ? value->always.steps[0].number : otherwise;
}

/* An error of NVML, or 0 and a number. */
int value_now(Value *value, const Worker *worker, double now, int count_it, double *number) {
    int working = worker->pid && value->working.count;
    Schedule *schedule = working ? &value->working : &value->always;
    long *calls = working ? &value->working_calls : &value->calls;
    double seconds = working ? worker->age : now;
    *calls += count_it;
    double call = (double)*calls;
    if (schedule->period > 0) {
        seconds = fmod(seconds, schedule->period);
        call = fmod(call, schedule->period);
    }
    const Step *step = &schedule->steps[0];
    for (int i = 1; i < schedule->count; i++)
        if ((schedule->steps[i].by_call ? call : seconds) >= schedule->steps[i].from) step = &schedule->steps[i];
    *number = step->number + (step->is_rss ? worker->rss : 0);
    return step->error;
}
