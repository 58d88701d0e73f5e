/* Stands in for NVIDIA's libnvidia-ml.so.1 in tests: the same functions, answered from a scenario file that
 * FAKE_NVML_SCENARIO names. README.md has the format. Signatures and structures are those of nvml.h. */
#define _GNU_SOURCE
#include "scenario.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned long long u64;
typedef struct { u64 total, free, used; } Memory;
typedef struct { unsigned version; u64 total, reserved, free, used; } MemoryV2;
typedef struct { unsigned pid; u64 used; unsigned gpu_instance, compute_instance; } ProcessInfo;

enum { MEMORY_V2 = 0x02000028, HOST_PID = 4194305 /* above the kernel's highest */, NOT_TOLD_BYTES = -1 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Scenario scenario;
static Worker worker;
static char read_path[4096];
static int is_read, sessions;
static double now, looked_at = -1;
static unsigned seed = 1;

/* Numbers that do not fit are what C makes of -1, or all ones. */
static u64 as_u64(double number) {
    if (number < 0) return (u64)(long long)number;
    return number >= 18446744073709551615.0 ? ~0ull : (u64)number;
}

static unsigned as_unsigned(double number) {
    if (number < 0) return (unsigned)(long long)number;
    return number >= 4294967295.0 ? ~0u : (unsigned)number;
}

/* ---- what each call begins with ----------------------------------------------------------------------- */

static double number_now(Device *device, const char *key) {
    Value *value = value_named(device, key);
    double number = 0;
    return value && value_now(value, &worker, now, 0, &number) == SUCCESS ? number : 0;
}

/* The memory of a worker that has ended goes after `linger`; `leak` bytes of it never do. */
static void worker_ended(double linger) {
    worker.lingering_until = now + linger;
    for (int i = 0; i < scenario.device_count; i++)
        for (int k = 0; k < scenario.devices[i].process_count; k++) {
            Process *process = &scenario.devices[i].processes[k];
            double leak = process->last_bytes > 0 ? number_now(&scenario.devices[i], "leak") : 0;
            process->lingering_bytes = process->last_bytes - leak;
            process->leaked_bytes += leak;
            process->last_bytes = 0;
        }
}

static int is_the_workers(const Process *process) {
    return process->who == CHILD || process->who == CHILD_AS_HOST || process->who == CHILD_HIDDEN;
}

static double bytes_of(Process *process) {
    double bytes = 0;
    if (is_the_workers(process) && !worker.pid) return 0;
    value_now(&process->bytes, &worker, now, 0, &bytes);
    if (is_the_workers(process)) process->last_bytes = bytes;
    return bytes;
}

/* The driver renews its counter now and then: between two moments of that, it stands still. */
static void count_energy(Device *device, double before) {
    Value *energy = value_named(device, "energy");
    double power = number_now(device, "power"), period = energy ? energy->always.period : 0;
    device->energy_mj += power * (now - before);
    double renewed = period > 0 ? floor(now / period) * period : now;
    if (renewed > before) device->renewed_mj = device->energy_mj - power * (now - renewed);
}

static void look(void) {
    double before = now;
    now = seconds_since_load();
    if (looked_at < 0 || now - looked_at > 0.004) { /* a look at /proc costs about a real call */
        int pid = worker.pid;
        worker_find(&worker, text_of(&scenario.global, "child_match", "bench.run.worker"));
        if (pid && worker.pid != pid) worker_ended(plain_number(&scenario.global, "linger", 0));
        looked_at = now;
    }
    for (int i = 0; i < scenario.device_count; i++) {
        Device *device = &scenario.devices[i];
        count_energy(device, before);
        for (int k = 0; k < device->process_count; k++) bytes_of(&device->processes[k]);
    }
}

static void wait_as_long_as_a_call(void) {
    double low = plain_number(&scenario.global, "delay_us", 0);
    double high = plain_number(&scenario.global, "delay_us_max", low);
    pthread_mutex_lock(&mutex);
    double part = (double)rand_r(&seed) / RAND_MAX;
    pthread_mutex_unlock(&mutex);
    struct timespec time = {0, (long)((low + part * (high - low)) * 1000)};
    if (time.tv_nsec > 0) nanosleep(&time, NULL);
}

static int failure_of(Device *device, const char *function) {
    char key[TEXT];
    double ignored;
    snprintf(key, sizeof key, "fail:%s", function);
    Value *value = value_named(device, key);
    return value ? value_now(value, &worker, now, 1, &ignored) : SUCCESS;
}

static int is_lost(Device *device) {
    Value *value = value_named(device, "lost");
    double yes = 0;
    if (value && !device->lost) value_now(value, &worker, now, 1, &yes);
    return device->lost |= yes != 0;
}

static void write_down(const char *function) {
    const char *path = text_of(&scenario.global, "log", NULL);
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    fprintf(file, "%s\n", function);
    fclose(file);
}

static int begin(Device *device, const char *function) {
    if (is_read) wait_as_long_as_a_call();
    pthread_mutex_lock(&mutex);
    write_down(function);
    if (!sessions) return UNINITIALIZED;
    look();
    char names[TEXT + 2], name[TEXT];
    snprintf(names, sizeof names, " %s ", text_of(&scenario.global, "absent", ""));
    snprintf(name, sizeof name, " %s ", function);
    if (strstr(names, name)) return FUNCTION_NOT_FOUND;
    int error = failure_of(&scenario.global, function);
    if (!error && device && is_lost(device->parent ? device->parent : device)) error = GPU_IS_LOST;
    return !error && device ? failure_of(device, function) : error;
}

static int end(int status) {
    pthread_mutex_unlock(&mutex);
    return status;
}

#define BEGIN(device) do { int status_ = begin(device, __func__); if (status_) return end(status_); } while (0)

static int answer(Device *device, const char *key, double *number) {
    Value *value = value_named(device, key);
    return value && value->always.count ? value_now(value, &worker, now, 1, number) : NOT_SUPPORTED;
}

#define READING(function, key)                                                                               \
    int function(Device *device, unsigned *out) {                                                            \
        double number = 0;                                                                                   \
        BEGIN(device);                                                                                       \
        int status = answer(device, key, &number);                                                           \
        if (!status) *out = as_unsigned(number);                                                                \
        return end(status);                                                                                  \
    }

static int copy_text(const char *text, char *out, unsigned size) {
    if (strlen(text) >= size) return INSUFFICIENT_SIZE;
    strcpy(out, text);
    return SUCCESS;
}

/* ---- the system --------------------------------------------------------------------------------------- */

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    pthread_mutex_lock(&mutex);
    const char *path = getenv("FAKE_NVML_SCENARIO");
    if (is_read && path && strcmp(path, read_path)) { /* another machine */
        memset(&scenario, 0, sizeof scenario);
        is_read = sessions = 0;
    }
    int wrong = is_read ? 0 : path ? scenario_read(path, &scenario) : -1;
    if (wrong) fprintf(stderr, "fake NVML: cannot read line %d of %s\n", wrong, path ? path : "no scenario");
    is_read = !wrong;
    if (is_read && path) snprintf(read_path, sizeof read_path, "%s", path);
    int status = wrong ? UNKNOWN : failure_of(&scenario.global, __func__);
    if (!status) sessions++;
    return end(status);
}

int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

int nvmlShutdown(void) {
    BEGIN(NULL);
    sessions--;
    return end(SUCCESS);
}

const char *nvmlErrorString(int code) { 
    return code == GPU_IS_LOST ? "GPU is lost" : text_of(&scenario.global, "error_string", "an error of NVML");
}

int nvmlSystemGetDriverVersion(char *out, unsigned size) {
    BEGIN(NULL);
    return end(copy_text(text_of(&scenario.global, "driver", "580.95.05"), out, size));
}

int nvmlSystemGetCudaDriverVersion(int *out) {
    BEGIN(NULL);
    *out = (int)as_unsigned(plain_number(&scenario.global, "cuda", 13000));
    return end(SUCCESS);
}

int nvmlSystemGetProcessName(unsigned pid, char *out, unsigned size) {
    BEGIN(NULL);
    for (int i = 0; i < scenario.device_count; i++)
        for (int k = 0; k < scenario.devices[i].process_count; k++) {
            Process *process = &scenario.devices[i].processes[k];
            if (process->pid == pid && *process->name) return end(copy_text(process->name, out, size));
        }
    return end(NOT_FOUND);
}

/* ---- finding a card ----------------------------------------------------------------------------------- */

static Device *nth(Device *parent, unsigned index) {
    for (int i = 0; i < scenario.device_count; i++)
        if (scenario.devices[i].parent == parent && index-- == 0) return &scenario.devices[i];
    return NULL;
}

static int found(Device *device, Device **out) {
    *out = device;
    return end(device ? SUCCESS : NOT_FOUND);
}

int nvmlDeviceGetCount_v2(unsigned *out) {
    BEGIN(NULL);
    for (*out = 0; nth(NULL, *out);) ++*out;
    *out = as_unsigned(plain_number(&scenario.global, "count", *out));
    return end(SUCCESS);
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **out) {
    BEGIN(NULL);
    Device *device = nth(NULL, index);
    int failure = !device ? INVALID_ARGUMENT : is_lost(device) ? GPU_IS_LOST : failure_of(device, __func__);
    return failure ? end(failure) : found(device, out);
}

int nvmlDeviceGetHandleByUUID(const char *uuid, Device **out) {
    BEGIN(NULL);
    for (int i = 0; i < scenario.device_count; i++)
        if (!strcmp(text_of(&scenario.devices[i], "uuid", ""), uuid)) {
            Device *device = &scenario.devices[i];
            return is_lost(device->parent ? device->parent : device) ? end(GPU_IS_LOST) : found(device, out);
        }
    return end(NOT_FOUND);
}

READING(nvmlDeviceGetMaxMigDeviceCount, "mig_slots")

int nvmlDeviceGetMigMode(Device *device, unsigned *current, unsigned *pending) {
    double number = 0;
    BEGIN(device);
    int status = answer(device, "mig", &number);
    *current = *pending = as_unsigned(number);
    return end(status);
}

int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned index, Device **out) {
    BEGIN(device);
    return found(nth(device, index), out);
}

int nvmlDeviceGetUUID(Device *device, char *out, unsigned size) {
    BEGIN(device);
    return end(copy_text(text_of(device, "uuid", ""), out, size));
}

int nvmlDeviceGetName(Device *device, char *out, unsigned size) {
    BEGIN(device);
    return end(copy_text(text_of(device, "name", ""), out, size));
}

int nvmlDeviceGetCudaComputeCapability(Device *device, int *major, int *minor) {
    BEGIN(device);
    return end(sscanf(text_of(device, "capability", ""), "%d.%d", major, minor) == 2 ? SUCCESS : NOT_SUPPORTED);
}

/* ---- memory and processes ----------------------------------------------------------------------------- */

static double used_by(Process *process) {
    return bytes_of(process) + process->leaked_bytes + (now < worker.lingering_until ? process->lingering_bytes : 0);
}

static int memory_now(Device *device, MemoryV2 *out) {
    double total = 0, reserved = number_now(device, "memory.reserved"), used = 0;
    int status = answer(device, "memory.total", &total);
    if (status || (status = answer(device, "memory.used", &used))) return status;
    for (int i = 0; i < device->process_count; i++) used += used_by(&device->processes[i]);
    int adds_up = !value_named(device, "memory.free");
    if (adds_up && used > total - reserved) used = total - reserved;
    out->total = as_u64(total);
    out->reserved = as_u64(reserved);
    out->used = as_u64(used);
    out->free = adds_up ? out->total - out->reserved - out->used : as_u64(number_now(device, "memory.free"));
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo_v2(Device *device, MemoryV2 *out) {
    BEGIN(device);
    return end(out->version == MEMORY_V2 ? memory_now(device, out) : ARGUMENT_VERSION_MISMATCH);
}

int nvmlDeviceGetMemoryInfo(Device *device, Memory *out) { /* its `used` holds the reserve */
    MemoryV2 memory;
    BEGIN(device);
    int status = memory_now(device, &memory);
    if (!status) *out = (Memory){memory.total, memory.free, memory.used + memory.reserved};
    return end(status);
}

static unsigned pid_of(const Process *process) {
    if (process->who == HOST || process->who == CHILD_AS_HOST) return HOST_PID + (unsigned)process->who;
    return process->who == CHILD ? (unsigned)worker.pid : process->pid;
}

static int processes_now(Device *device, unsigned *count, ProcessInfo *out, int graphics) {
    unsigned room = *count;
    *count = 0;
    for (int i = 0; i < device->process_count; i++) {
        Process *process = &device->processes[i];
        double bytes = bytes_of(process);
        int listed = (graphics ? process->graphics : process->compute) && (bytes != 0 || process->unreported);
        if (!listed || process->who == CHILD_HIDDEN || (is_the_workers(process) && !worker.pid)) continue;
        u64 told = process->unreported ? (u64)NOT_TOLD_BYTES : as_u64(bytes);
        if (*count < room && out) out[*count] = (ProcessInfo){pid_of(process), told, ~0u, ~0u};
        ++*count;
    }
    return *count > room || (*count && !out) ? INSUFFICIENT_SIZE : SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned *count, ProcessInfo *out) {
    BEGIN(device);
    return end(processes_now(device, count, out, 0));
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(Device *device, unsigned *count, ProcessInfo *out) {
    BEGIN(device);
    return end(processes_now(device, count, out, 1));
}

/* ---- everything else ---------------------------------------------------------------------------------- */

READING(nvmlDeviceGetDisplayMode, "display_mode")
READING(nvmlDeviceGetDisplayActive, "display_active")
READING(nvmlDeviceGetPersistenceMode, "persistence")
READING(nvmlDeviceGetPowerUsage, "power")
READING(nvmlDeviceGetPowerManagementLimit, "power_limit")
READING(nvmlDeviceGetPowerManagementDefaultLimit, "power_limit_default")
READING(nvmlDeviceGetEnforcedPowerLimit, "power_limit_enforced")
READING(nvmlDeviceGetCurrPcieLinkGeneration, "pcie_generation")
READING(nvmlDeviceGetCurrPcieLinkWidth, "pcie_width")
READING(nvmlDeviceGetMaxPcieLinkGeneration, "pcie_generation_max")
READING(nvmlDeviceGetMaxPcieLinkWidth, "pcie_width_max")

int nvmlDeviceGetTemperature(Device *device, unsigned sensor, unsigned *out) {
    double number = 0;
    BEGIN(device);
    int status = sensor ? INVALID_ARGUMENT : answer(device, "temperature", &number);
    *out = as_unsigned(number);
    return end(status);
}

int nvmlDeviceGetClockInfo(Device *device, unsigned type, unsigned *out) {
    static const char *const CLOCKS[] = {"graphics_clock", "sm_clock", "memory_clock", "video_clock"};
    double number = 0;
    BEGIN(device);
    int status = type > 3 ? INVALID_ARGUMENT : answer(device, CLOCKS[type], &number);
    *out = as_unsigned(number);
    return end(status);
}

int nvmlDeviceGetTotalEnergyConsumption(Device *device, u64 *out) {
    double number = 0;
    BEGIN(device);
    int status = SUCCESS;
    if (!strncmp(text_of(device, "energy", ""), "auto", 4)) number = device->renewed_mj;
    else status = answer(device, "energy", &number);
    *out = as_u64(number);
    return end(status);
}

static int throttle_reasons(Device *device, u64 *out) {
    double number = 0;
    int status = answer(device, "throttle", &number);
    *out = as_u64(number);
    return end(status);
}

int nvmlDeviceGetCurrentClocksEventReasons(Device *device, u64 *out) {
    BEGIN(device);
    return throttle_reasons(device, out);
}

int nvmlDeviceGetCurrentClocksThrottleReasons(Device *device, u64 *out) {
    BEGIN(device);
    return throttle_reasons(device, out);
}

int nvmlDeviceGetEccMode(Device *device, unsigned *current, unsigned *pending) {
    double number = 0;
    BEGIN(device);
    int status = answer(device, "ecc", &number);
    *current = *pending = as_unsigned(number);
    return end(status);
}
