/* An NVML that answers from a text file: what a machine without a GPU is tested with.
 *
 * Its functions are those of NVIDIA's nvml.h that sandbox/gpu asks. $FAKE_NVML names the file, which is read at each
 * call, so that a test can change the machine under a running program:
 *
 *     device UUID MINOR MEMORY_BYTES BUSY_PERCENT ENERGY_MJ NAME...
 *     process UUID PID MEMORY_BYTES BUSY_PERCENT TIME_US
 *
 * BUSY_PERCENT or ENERGY_MJ of -1: this device cannot tell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, SMALL = 7, NOT_LOADED = 9 };
enum { MOST = 64 };

struct device { char uuid[80]; int minor; unsigned long long memory; int busy; long long energy; char name[96]; };
struct process { char uuid[80]; unsigned pid; unsigned long long memory; int busy; unsigned long long time; };
struct process_info { unsigned pid; unsigned long long memory; unsigned gpu_instance, compute_instance; };
struct sample { unsigned pid; unsigned long long time; unsigned sm, memory, encoder, decoder; };
struct memory { unsigned long long total, free, used; };
struct utilization { unsigned gpu, memory; };

static struct device devices[MOST];
static struct process processes[MOST];
static unsigned device_count, process_count;
static int open_count;

static int load(void)
{
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[512];
    if (!file)
        return NOT_LOADED;
    device_count = process_count = 0;
    while (fgets(line, sizeof line, file)) {
        struct device *d = &devices[device_count];
        struct process *p = &processes[process_count];
        if (sscanf(line, "device %79s %d %llu %d %lld %95[^\n]", d->uuid, &d->minor, &d->memory, &d->busy, &d->energy,
                   d->name) == 6)
            device_count++;
        else if (sscanf(line, "process %79s %u %llu %d %llu", p->uuid, &p->pid, &p->memory, &p->busy, &p->time) == 5)
            process_count++;
    }
    fclose(file);
    return SUCCESS;
}

/* A handle is the number of the device, counted from 1. */
static struct device *find(void *handle)
{
    size_t number = (size_t)handle;
    if (!open_count || load() != SUCCESS || number < 1 || number > device_count)
        return NULL;
    return &devices[number - 1];
}

static int text(const char *from, char *to, unsigned size)
{
    if (strlen(from) + 1 > size)
        return SMALL;
    strcpy(to, from);
    return SUCCESS;
}

int nvmlInitWithFlags(unsigned flags) { int result = load(); (void)flags; open_count += result == SUCCESS; return result; }
int nvmlShutdown(void) { if (!open_count) return UNINITIALIZED; open_count--; return SUCCESS; }
const char *nvmlErrorString(int code) { return code == NOT_LOADED ? "Driver Not Loaded" : "An error of the test's"; }

int nvmlDeviceGetCount_v2(unsigned *count)
{
    if (!open_count)
        return UNINITIALIZED;
    *count = device_count;
    return load();
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle)
{
    *handle = (void *)(size_t)(index + 1);
    return find(*handle) ? SUCCESS : INVALID;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle)
{
    for (unsigned index = 0; open_count && load() == SUCCESS && index < device_count; index++)
        if (!strcmp(devices[index].uuid, uuid))
            return nvmlDeviceGetHandleByIndex_v2(index, handle);
    return open_count ? NOT_FOUND : UNINITIALIZED;
}

int nvmlDeviceGetUUID(void *h, char *to, unsigned size) { struct device *d = find(h); return d ? text(d->uuid, to, size) : INVALID; }
int nvmlDeviceGetName(void *h, char *to, unsigned size) { struct device *d = find(h); return d ? text(d->name, to, size) : INVALID; }
int nvmlDeviceGetMinorNumber(void *h, unsigned *to) { struct device *d = find(h); if (d) *to = d->minor; return d ? SUCCESS : INVALID; }

int nvmlDeviceGetMemoryInfo(void *handle, struct memory *to)
{
    struct device *d = find(handle);
    if (!d)
        return INVALID;
    to->total = d->memory;
    to->used = 0;
    for (unsigned index = 0; index < process_count; index++)
        if (!strcmp(processes[index].uuid, d->uuid))
            to->used += processes[index].memory;
    to->free = to->total - to->used;
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(void *handle, struct utilization *to)
{
    struct device *d = find(handle);
    if (!d || d->busy < 0)
        return d ? NOT_SUPPORTED : INVALID;
    to->gpu = d->busy;
    to->memory = 0;
    return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(void *handle, unsigned long long *to)
{
    struct device *d = find(handle);
    if (!d || d->energy < 0)
        return d ? NOT_SUPPORTED : INVALID;
    *to = d->energy;
    return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, struct process_info *to)
{
    struct device *d = find(handle);
    unsigned found = 0;
    if (!d)
        return INVALID;
    for (unsigned index = 0; index < process_count; index++) {
        if (strcmp(processes[index].uuid, d->uuid))
            continue;
        if (to && found < *count)
            to[found] = (struct process_info){processes[index].pid, processes[index].memory, ~0u, ~0u};
        found++;
    }
    int small = found && (!to || found > *count);
    *count = found;
    return small ? SMALL : SUCCESS;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, struct process_info *to)
{
    (void)to;
    *count = 0;
    return find(handle) ? SUCCESS : INVALID;
}

int nvmlDeviceGetProcessUtilization(void *handle, struct sample *to, unsigned *count, unsigned long long since)
{
    struct device *d = find(handle);
    unsigned found = 0;
    if (!d)
        return INVALID;
    for (unsigned index = 0; index < process_count; index++) {
        struct process *p = &processes[index];
        if (strcmp(p->uuid, d->uuid) || p->time <= since)
            continue;
        if (p->busy < 0)
            return NOT_SUPPORTED;
        if (to && found < *count)
            to[found] = (struct sample){p->pid, p->time, (unsigned)p->busy, 0, 0, 0};
        found++;
    }
    int small = found && !to;
    *count = found;
    return !found ? NOT_FOUND : small ? SMALL : SUCCESS;
}
