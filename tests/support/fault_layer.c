/* A disk and a wall clock that fail on demand, preloaded (LD_PRELOAD) below a process that knows nothing of it.

   Disk: of every file below FAULT_BELOW that the process opens, the content that is safely on disk is kept beside, page
   by page, in FAULT_SHADOW. A page is DURABLE, DIRTY (written, not synced) or LOST (a sync of it failed: the kernel calls
   such a page clean, but it never reached the disk, and no later sync writes it, unless the page is written again). As
   on Linux, an error of a sync is told once to each descriptor that was open by then. `lose_power`, called when all
   processes are dead, puts back what was on disk, at random for each sector: so writes are lost, torn and reordered.

   Clock: CLOCK_REALTIME is shifted by what the control file says. The monotonic clocks are not.

   The control file is shared memory with whoever makes the faults; its layout is in fault_layer.py, too. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, SECTOR = 512, HEAD = 16, DESCRIPTORS = 65536 };
enum { DURABLE, DIRTY, LOST };

struct control {
    int64_t wall_offset_ns;
    uint32_t fail_write, short_write, fail_sync, drop; /* per million; drop: 1 where the kernel forgets lost pages */
    uint32_t writes_failed, writes_shortened, syncs_failed, pages_lost;
    uint64_t random;
};

struct head { /* of a file's map, before one byte for each page */
    uint64_t durable_size;
    uint32_t errors, unused;
};

struct tracked { /* one descriptor of this process; `map` is -1 where it is none of ours */
    int map, old;
    uint32_t seen;
};

static struct control *control;
static struct tracked *table;
static char below[4096], shadow[4096];
static int lock_file = -1;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_gettimeofday)(struct timeval *, void *);

static ssize_t raw_pread(int fd, void *to, size_t size, off_t at) { return syscall(SYS_pread64, fd, to, size, at); }
static ssize_t raw_pwrite(int fd, const void *from, size_t size, off_t at) {
    return syscall(SYS_pwrite64, fd, from, size, at);
}

__attribute__((constructor)) static void begin(void) {
    real_open = dlsym(RTLD_NEXT, "open64");
    real_openat = dlsym(RTLD_NEXT, "openat64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_gettimeofday = dlsym(RTLD_NEXT, "gettimeofday");
    const char *file = getenv("FAULT_CONTROL"), *directory = getenv("FAULT_BELOW"), *beside = getenv("FAULT_SHADOW");
    if (file == NULL || getenv("LD_PRELOAD") == NULL) return;
    /* What this process starts is not below it: sandboxes have other files and the clock of the machine. */
    unsetenv("LD_PRELOAD");
    int fd = real_open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) { control = NULL; return; }
    lock_file = fd;
    if (directory == NULL || beside == NULL) return;
    snprintf(below, sizeof below, "%s/", directory);
    snprintf(shadow, sizeof shadow, "%s", beside);
    table = calloc(DESCRIPTORS, sizeof *table);
    for (int each = 0; table != NULL && each < DESCRIPTORS; each++) table[each].map = -1;
}

static uint64_t draw(void) { /* splitmix64 */
    uint64_t z = __atomic_add_fetch(&control->random, 0x9E3779B97F4A7C15ULL, __ATOMIC_RELAXED);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

static int happens(const uint32_t *per_million, uint32_t *count) {
    if (*per_million == 0 || draw() % 1000000 >= *per_million) return 0;
    __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
    return 1;
}

static void enter(void) {
    pthread_mutex_lock(&mutex);
    flock(lock_file, LOCK_EX);
}

static void leave(void) {
    flock(lock_file, LOCK_UN);
    pthread_mutex_unlock(&mutex);
}

/* Files and their shadows */

static int shadow_name(int fd, const char *suffix, char *name, size_t size) {
    struct statx found; /* an inode's number is used again, together with its birth it is not */
    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME | STATX_TYPE, &found) != 0 || !S_ISREG(found.stx_mode))
        return -1;
    snprintf(name, size, "%s/%llu-%lld.%u%s", shadow, (unsigned long long)found.stx_ino,
             (long long)found.stx_btime.tv_sec, found.stx_btime.tv_nsec, suffix);
    return 0;
}

static int is_ours(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    if (strncmp(path, below, strlen(below)) != 0) return 0;
    /* The index of SQLite's log is memory, and made anew after a crash. A log of text is nobody's promise. */
    return !(size > 4 && (strcmp(path + size - 4, "-shm") == 0 || strcmp(path + size - 4, ".log") == 0));
}

static uint64_t size_of(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 ? (uint64_t)found.st_size : 0;
}

static void track(int fd) {
    char name[4200];
    if (table == NULL || fd < 0 || fd >= DESCRIPTORS || !is_ours(fd)) return;
    if (shadow_name(fd, ".old", name, sizeof name) != 0) return;
    enter();
    int old = real_open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    shadow_name(fd, ".map", name, sizeof name);
    int map = real_open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct head head = {.durable_size = size_of(fd)};
    if (map >= 0 && raw_pread(map, &head, HEAD, 0) != HEAD) raw_pwrite(map, &head, HEAD, 0);
    table[fd] = (struct tracked){.map = map, .old = old, .seen = head.errors};
    leave();
}

static struct tracked *known(int fd) {
    return table != NULL && fd >= 0 && fd < DESCRIPTORS && table[fd].map >= 0 ? &table[fd] : NULL;
}

static void forget(int fd) {
    struct tracked *one = known(fd);
    if (one == NULL) return;
    real_close(one->map);
    real_close(one->old);
    one->map = -1;
}

static void remember(const struct tracked *one, int fd, uint64_t at, size_t size) {
    for (uint64_t page = at / PAGE; size > 0 && page <= (at + size - 1) / PAGE; page++) {
        uint8_t state = DURABLE, dirty = DIRTY;
        if (raw_pread(one->map, &state, 1, HEAD + page) != 1) state = DURABLE;
        if (state == DURABLE) {
            char content[PAGE] = {0};
            int reading = fd; /* which may be open for writing only */
            char link[64];
            if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
                snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
                reading = real_open(link, O_RDONLY | O_CLOEXEC);
            }
            if (raw_pread(reading, content, PAGE, page * PAGE) < 0) memset(content, 0, PAGE);
            if (reading != fd) real_close(reading);
            raw_pwrite(one->old, content, PAGE, page * PAGE);
        }
        if (state != DIRTY) raw_pwrite(one->map, &dirty, 1, HEAD + page);
    }
}

static void put_back(int fd, int old, uint64_t page) {
    char content[PAGE], link[64];
    if (raw_pread(old, content, PAGE, page * PAGE) != PAGE) return;
    uint64_t size = size_of(fd);
    if (page * PAGE >= size) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int writing = real_open(link, O_WRONLY | O_CLOEXEC);
    raw_pwrite(writing, content, size - page * PAGE < PAGE ? size - page * PAGE : PAGE, page * PAGE);
    real_close(writing);
}

/* All dirty pages of a file become what the sync made of them. */
static void settle(const struct tracked *one, int fd, int failed) {
    uint8_t states[PAGE];
    ssize_t got;
    for (uint64_t first = 0; (got = raw_pread(one->map, states, PAGE, HEAD + first)) > 0; first += got) {
        int changed = 0;
        for (ssize_t each = 0; each < got; each++) {
            if (states[each] != DIRTY) continue;
            changed = 1;
            if (failed && draw() % 2) { /* some of them were written before it failed */
                __atomic_add_fetch(&control->pages_lost, 1, __ATOMIC_RELAXED);
                if (control->drop) put_back(fd, one->old, first + each);
                states[each] = control->drop ? DURABLE : LOST;
            } else {
                states[each] = DURABLE;
            }
        }
        if (changed) raw_pwrite(one->map, states, got, HEAD + first);
    }
}

static int sync_file(int fd, long number) {
    struct tracked *one = known(fd);
    if (one == NULL) return syscall(number, fd);
    struct head head;
    int error = 0;
    enter();
    raw_pread(one->map, &head, HEAD, 0);
    if (happens(&control->fail_sync, &control->syncs_failed)) {
        settle(one, fd, 1);
        head.errors++;
        error = EIO;
    } else if (syscall(number, fd) != 0) {
        error = errno;
    } else {
        settle(one, fd, 0);
        head.durable_size = size_of(fd);
    }
    if (head.errors != one->seen) error = EIO;
    one->seen = head.errors;
    raw_pwrite(one->map, &head, HEAD, 0);
    leave();
    errno = error;
    return error ? -1 : 0;
}

/* How much of a write may be made: 0 where it fails. */
static size_t allowed(size_t size) {
    if (happens(&control->fail_write, &control->writes_failed)) return 0;
    if (size > 1 && happens(&control->short_write, &control->writes_shortened)) return 1 + draw() % (size - 1);
    return size;
}

static ssize_t write_at(struct tracked *one, int fd, const void *from, size_t size, off_t at, int positioned) {
    ssize_t written = -1;
    enter();
    size_t most = size ? allowed(size) : 0;
    if (size && most == 0) {
        errno = EIO;
    } else {
        remember(one, fd, at, most);
        written = positioned ? raw_pwrite(fd, from, most, at) : syscall(SYS_write, fd, from, most);
    }
    int error = errno;
    leave();
    errno = error;
    return written;
}

/* What is preloaded */

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    int fd = real_open(path, flags, va_arg(rest, mode_t));
    va_end(rest);
    if (fd >= 0) track(fd);
    return fd;
}
int open(const char *path, int flags, ...) __attribute__((alias("open64")));

int openat64(int directory, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    int fd = real_openat(directory, path, flags, va_arg(rest, mode_t));
    va_end(rest);
    if (fd >= 0) track(fd);
    return fd;
}
int openat(int directory, const char *path, int flags, ...) __attribute__((alias("openat64")));

int close(int fd) {
    if (known(fd) != NULL) forget(fd);
    return real_close(fd);
}

ssize_t write(int fd, const void *from, size_t size) {
    struct tracked *one = known(fd);
    if (one == NULL) return syscall(SYS_write, fd, from, size);
    off_t at = fcntl(fd, F_GETFL) & O_APPEND ? (off_t)size_of(fd) : lseek(fd, 0, SEEK_CUR);
    return write_at(one, fd, from, size, at, 0);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off_t at) {
    struct tracked *one = known(fd);
    return one == NULL ? raw_pwrite(fd, from, size, at) : write_at(one, fd, from, size, at, 1);
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) __attribute__((alias("pwrite64")));

int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

/* Whatever was written by then is on disk, also of files that nobody has open. */
static void settle_all(void) {
    DIR *all = opendir(shadow);
    if (all == NULL) return;
    enter();
    for (struct dirent *each; (each = readdir(all)) != NULL;) {
        size_t length = strlen(each->d_name);
        if (length < 4 || strcmp(each->d_name + length - 4, ".map") != 0) continue;
        int map = real_openat(dirfd(all), each->d_name, O_RDWR | O_CLOEXEC);
        struct tracked one = {.map = map};
        struct head head;
        settle(&one, -1, 0);
        if (raw_pread(map, &head, HEAD, 0) == HEAD) {
            head.durable_size = UINT64_MAX;
            raw_pwrite(map, &head, HEAD, 0);
        }
        real_close(map);
    }
    leave();
    closedir(all);
}

int syncfs(int fd) {
    if (syscall(SYS_syncfs, fd) != 0) return -1;
    if (table != NULL) settle_all();
    return 0;
}

int ftruncate64(int fd, off_t size) { /* is on disk at once, with all that it cuts off */
    struct tracked *one = known(fd);
    if (one != NULL) {
        struct head head;
        enter();
        raw_pread(one->map, &head, HEAD, 0);
        if ((uint64_t)size < head.durable_size) head.durable_size = size;
        raw_pwrite(one->map, &head, HEAD, 0);
        syscall(SYS_ftruncate, one->map, HEAD + (size + PAGE - 1) / PAGE);
        leave();
    }
    return syscall(SYS_ftruncate, fd, size);
}
int ftruncate(int fd, off_t size) __attribute__((alias("ftruncate64")));

int clock_gettime(clockid_t which, struct timespec *to) {
    int failed = real_clock_gettime(which, to);
    if (failed || control == NULL || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE)) return failed;
    int64_t all = to->tv_sec * 1000000000LL + to->tv_nsec + __atomic_load_n(&control->wall_offset_ns, __ATOMIC_RELAXED);
    to->tv_sec = all / 1000000000LL;
    to->tv_nsec = all % 1000000000LL;
    return 0;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone) {
    (void)zone;
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    to->tv_sec = now.tv_sec;
    to->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to != NULL) *to = now.tv_sec;
    return now.tv_sec;
}

/* For whoever makes the faults, when the processes are dead */

static unsigned int chance;
static int put_back_count;

static int revert(const char *path, const struct stat *found, int kind, struct FTW *place) {
    (void)found, (void)place;
    char name[4200];
    if (kind != FTW_F) return 0;
    int fd = real_open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return 0;
    if (shadow_name(fd, ".old", name, sizeof name) == 0) {
        int old = real_open(name, O_RDONLY | O_CLOEXEC);
        shadow_name(fd, ".map", name, sizeof name);
        int map = real_open(name, O_RDONLY | O_CLOEXEC);
        struct head head;
        if (old >= 0 && map >= 0 && raw_pread(map, &head, HEAD, 0) == HEAD) {
            uint64_t size = size_of(fd);
            uint8_t state;
            for (uint64_t page = 0; raw_pread(map, &state, 1, HEAD + page) == 1; page++) {
                char content[PAGE];
                if (state == DURABLE || raw_pread(old, content, PAGE, page * PAGE) != PAGE) continue;
                for (uint64_t at = 0; at < PAGE && page * PAGE + at < size; at += SECTOR) {
                    if (state == DIRTY && rand_r(&chance) % 2) continue; /* the disk took this sector in time */
                    uint64_t left = size - page * PAGE - at;
                    raw_pwrite(fd, content + at, left < SECTOR ? left : SECTOR, page * PAGE + at);
                    put_back_count++;
                }
            }
            if (head.durable_size < size && rand_r(&chance) % 2) syscall(SYS_ftruncate, fd, head.durable_size);
        }
        if (old >= 0) real_close(old);
        if (map >= 0) real_close(map);
        shadow_name(fd, ".old", name, sizeof name);
        unlink(name);
        shadow_name(fd, ".map", name, sizeof name);
        unlink(name);
    }
    real_close(fd);
    return 0;
}

/* Returns how many sectors were put back. */
int lose_power(const char *directory, const char *beside, unsigned int seed) {
    chance = seed;
    put_back_count = 0;
    snprintf(shadow, sizeof shadow, "%s", beside);
    nftw(directory, revert, 32, FTW_PHYS | FTW_MOUNT);
    return put_back_count;
}
