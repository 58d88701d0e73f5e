/* What a scenario file says, and what it means at this moment. The format is in README.md. */
#ifndef SCENARIO_H
#define SCENARIO_H

enum { MAX_STEPS = 32, MAX_VALUES = 64, MAX_PROCESSES = 16, MAX_DEVICES = 16, TEXT = 1100, LINE = 2048 };

/* Error codes and clock types as in nvml.h. */
enum {
    SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9, FUNCTION_NOT_FOUND = 13, GPU_IS_LOST = 15,
    ARGUMENT_VERSION_MISMATCH = 25, UNKNOWN = 999
};

/* One entry of a schedule: a number or an error, in force from a second or from a call on. */
typedef struct { int error; double number; int is_rss; double from; int by_call; } Step;
typedef struct { int count; Step steps[MAX_STEPS]; double period; } Schedule;

/* A key of the file. `working` replaces `always` while a worker is alive, if it has steps. */
typedef struct { char key[TEXT], text[TEXT]; Schedule always, working; long calls, working_calls; } Value;

typedef enum { GIVEN, CHILD, CHILD_AS_HOST, CHILD_HIDDEN, HOST } Who;
typedef struct {
    Who who;
    unsigned pid;
    int compute, graphics, unreported;
    Value bytes;
    char name[TEXT];
    double last_bytes, lingering_bytes, leaked_bytes;
} Process;

typedef struct Device {
    Value values[MAX_VALUES];
    int value_count;
    Process processes[MAX_PROCESSES];
    int process_count;
    struct Device *parent;       /* of a MIG slice */
    int lost;
    double energy_mj;            /* `energy auto`: the integral of `power` */
    double renewed_mj;           /* `energy auto every 100ms`: what it was when it was last renewed */
} Device;

typedef struct { Device global, devices[MAX_DEVICES]; int device_count; } Scenario;

/* The process that plays the card's user: a descendant with `child_match` among its arguments. */
typedef struct { int pid; double age; double rss; double lingering_until; } Worker;

int scenario_read(const char *path, Scenario *scenario); /* 0, or the number of the line that is wrong */
int error_code(const char *name);                        /* -1 if there is no such error */
Value *value_named(Device *device, const char *key);     /* null if the file does not have it */
int value_now(Value *value, const Worker *worker, double now, int count_it, double *number);
const char *text_of(Device *device, const char *key, const char *otherwise);
double plain_number(Device *device, const char *key, double otherwise);

double seconds_since_load(void);
void worker_find(Worker *worker, const char *match);
#endif
