/* stress.c - csrc/threads: the rules they keep, and the same bits under every strain of a program.
 * SPDX-License-Identifier: MIT
 *
 * The rules: bounds; what the operations ask of the platform; the parts of a job; how many threads come to it, and that
 * these take no signals; callers that do not wait for each other. The strain: many callers at once while the number of
 * threads changes; forked children of a process that has used its threads, of one whose other threads are in the middle
 * of a call, and of a job itself; an idle process, which must not compute. Built with ThreadSanitizer too, which does
 * not allow threads after such a fork: -DNO_FORK. */
#include "fastleaky_threads.h"
#include "fastleaky_quantized.h"
#include "isa.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    OUTER = 3,
    CHANNELS = 5,
    INNER = 7001,
    SIZE = OUTER * CHANNELS * INNER,
    CALLERS = 4,
    CALLS = 100,
    CHILDREN = 30
};
static float x[SIZE], grad[SIZE], wanted[SIZE], wanted_sums[CHANNELS];
static const float weight[CHANNELS] = {0.25f, -0.5f, 0.0f, 3.0f, 1e-40f};
static _Atomic int stop;
static const fl_isa *threaded;
static unsigned long passed, failed;

static void report(int good, const char *what)
{
    passed += good != 0;
    failed += !good;
    printf("%s: %s\n", what, good ? "as it should be" : "WRONG");
}

static void nap(void) { nanosleep(&(struct timespec){0, 1000000}, NULL); }

static int wrong_calls(int calls)
{
    float *const dx = malloc(sizeof wanted), sums[CHANNELS];
    int wrong = 0;
    for (int i = 0; i < calls; i++) {
        memset(dx, 0, sizeof wanted);
        fl_prelu_backward_f32(threaded, grad, x, weight, dx, sums, OUTER, CHANNELS, INNER);
        wrong += memcmp(dx, wanted, sizeof wanted) || memcmp(sums, wanted_sums, sizeof sums);
    }
    free(dx);
    return wrong;
}

/* Bounds, and from where on something is done. */

static int threads_after(int set)
{
    fl_set_num_threads(set);
    return threaded->platform->threads(SIZE_MAX);
}

static void bounds(void)
{
    static const int given[] = {INT_MIN, -1, 0, 1, 2, 64, 65, INT_MAX}, wanted_threads[] = {1, 1, 1, 1, 2, 64, 64, 64};
    int wrong = 0;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        wrong += threads_after(given[i]) != wanted_threads[i] || (given[i] < 2 && wrong_calls(1));
    report(wrong == 0, "at least 1 thread, at most 64");
    fl_set_num_threads(3);
    fl_set_parallel_threshold(1000);
    wrong = threaded->platform->threads(999) != 1 || threaded->platform->threads(1000) != 3;
    fl_set_parallel_threshold(1);
    report(wrong == 0, "several threads from the size on that was set");
}

/* The size of the cache of the highest level, in the plainest way; 0 if Linux does not tell. */
static size_t largest_cache(void)
{
    char path[80];
    size_t kilobytes, size = 0;
    for (int index = 0, level, highest = 0; index < 10; index++) {
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", index);
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%d", &level) != 1)
            level = 0;
        if (file)
            fclose(file);
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
        if (level <= highest || !(file = fopen(path, "r")))
            continue;
        if (fscanf(file, "%zuK", &kilobytes) == 1)
            size = kilobytes << 10, highest = level;
        fclose(file);
    }
    return size;
}

static void nontemporal_threshold(void)
{
    int (*const nontemporal)(size_t) = threaded->platform->nontemporal;
    const size_t cache = largest_cache(), from = cache ? cache / 4 * 3 : SIZE_MAX;
    report(nontemporal(from) && !nontemporal(from - 1) && !nontemporal(1),
           "non-temporal stores at first: from 3/4 of the cache on");
    fl_set_nontemporal_threshold(1000);
    report(nontemporal(1000) && nontemporal(SIZE_MAX) && !nontemporal(999),
           "non-temporal stores from the size on that was set");
    fl_set_nontemporal_threshold(0);
    report(nontemporal(1), "non-temporal stores always");
    fl_set_nontemporal_threshold(SIZE_MAX);
    report(!nontemporal(SIZE_MAX - 1), "non-temporal stores never");
    fl_set_nontemporal_threshold(from);
}

/* What the operations ask of the platform: how many elements there are, and if not in place, how many bytes are
 * touched. */

static size_t asked_elements, asked_bytes;
static int one_thread(size_t elements) { return asked_elements = elements, 1; }
static int always_nontemporal(size_t bytes) { return asked_bytes = bytes, 1; }

static int asked_otherwise(size_t bytes)
{
    const int wrong = asked_elements != SIZE || asked_bytes != bytes;
    asked_elements = asked_bytes = 0;
    return wrong;
}

static void questions(const fl_isa *best)
{
    static const fl_platform platform = {one_thread, NULL, always_nontemporal};
    static float out[SIZE];
    static fl_f16 half[SIZE], half_out[SIZE];
    float sums[CHANNELS];
    fl_isa isa = *best;
    isa.platform = &platform;
    int wrong = 0;
    fl_leaky_relu_f32(&isa, x, out, SIZE, 0.1f);
    wrong += asked_otherwise(2 * sizeof x);
    fl_leaky_relu_f32(&isa, out, out, SIZE, 0.1f);
    wrong += asked_otherwise(0);
    fl_leaky_relu_f16(&isa, half, half_out, SIZE, 0.1f);
    wrong += asked_otherwise(2 * sizeof half);
    fl_leaky_relu_backward_f32(&isa, grad, x, out, SIZE, 0.1f);
    wrong += asked_otherwise(3 * sizeof x);
    fl_prelu_f32(&isa, x, weight, out, OUTER, CHANNELS, INNER);
    wrong += asked_otherwise(2 * sizeof x);
    fl_prelu_backward_f32(&isa, grad, x, weight, out, sums, OUTER, CHANNELS, INNER);
    wrong += asked_otherwise(3 * sizeof x);
    fl_prelu_backward_f32(&isa, out, x, weight, out, sums, OUTER, CHANNELS, INNER);
    wrong += asked_otherwise(0);
    fl_prelu_backward_f32(&isa, grad, out, weight, out, sums, OUTER, CHANNELS, INNER);
    wrong += asked_otherwise(0);
    report(wrong == 0, "the bytes that an operation touches, and no non-temporal stores in place");
}

/* The parts of a job. */

enum { MOST = 5000 };
typedef struct {
    size_t n, grain;
    unsigned char *times;
    _Atomic int wrong;
} cover;

static void mark(const void *arg, size_t begin, size_t end)
{
    cover *const c = (cover *)arg;
    if (begin >= end || end > c->n || begin % c->grain || (end % c->grain && end != c->n)) {
        c->wrong++;
        return;
    }
    for (size_t i = begin; i < end; i++)
        c->times[i]++;
}

static int wrong_parts(int threads, size_t n, size_t grain)
{
    static unsigned char times[MOST];
    cover c = {n, grain, times, 0};
    memset(times, 0, n);
    threaded->platform->run(threads, mark, &c, n, grain);
    for (size_t i = 0; i < n; i++)
        c.wrong += times[i] != 1;
    return c.wrong;
}

static void parts(void)
{
    static const int threads[] = {2, 3, 5};
    static const size_t grains[] = {1, 7, 1024};
    int wrong = 0;
    for (size_t t = 0; t < 3; t++)
        for (size_t g = 0; g < 3; g++)
            for (size_t n = 1; n <= MOST; n += n < 70 ? 1 : n < 1000 ? 93 : 511)
                wrong += wrong_parts(threads[t], n, grains[g]);
    report(wrong == 0, "the parts of a job are all of it, once each, and whole grains");
    wrong = 0;
    for (int i = 0; i < 20000; i++)
        wrong += wrong_parts(3, 8, 1);
    report(wrong == 0, "and of many small jobs, one right after another");
}

/* Who comes to a job. Each that comes waits until as many are there as were asked for, and then some milliseconds for
 * one more, who would be one too many. Only where too few come, which is a fault, patience ends it. */

enum { PATIENCE = 20000, LOOK = 20 }; /* naps: of all together, and of each */
typedef struct {
    int wanted;
    pthread_t caller;
    _Atomic int came, inside, most, heard, waited;
} meeting;

static int hears_a_signal(void)
{
    sigset_t blocked;
    int hears = 0;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (int s = 1; s <= SIGSYS; s++)
        hears |= s != SIGKILL && s != SIGSTOP && !sigismember(&blocked, s);
    return hears;
}

static void meet(const void *arg, size_t begin, size_t end)
{
    (void)begin, (void)end;
    meeting *const m = (meeting *)arg;
    const int inside = ++m->inside;
    m->came++;
    for (int most = m->most; most < inside && !atomic_compare_exchange_weak(&m->most, &most, inside);)
        ;
    if (!pthread_equal(pthread_self(), m->caller))
        m->heard += hears_a_signal();
    for (; m->came < m->wanted && m->waited < PATIENCE; m->waited++)
        nap();
    for (int i = 0; i < LOOK && m->most <= m->wanted; i++)
        nap();
    m->inside--;
}

static meeting met(int threads)
{
    meeting m = {.wanted = threads, .caller = pthread_self()};
    threaded->platform->run(threads, meet, &m, 64, 1);
    return m;
}

static void meetings(void)
{
    static const int threads[] = {5, 3, 2, 4};
    int wrong = 0, heard = 0;
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    sigaddset(&before, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        const meeting m = met(threads[i]);
        wrong += m.most != threads[i];
        heard += m.heard;
    }
    report(wrong == 0, "as many threads come to a job as it asks for, and no more");
    report(heard == 0, "they take no signals");
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    wrong = 0;
    for (int s = 1; s <= SIGSYS; s++)
        wrong += sigismember(&before, s) != sigismember(&after, s);
    report(wrong == 0, "the caller takes the signals that it took before");
}

/* A second caller does not wait for the first: it works alone. */

typedef struct {
    pthread_t thread;
    _Atomic int calls, done, before_the_first;
} second;

static void count_whole(const void *arg, size_t begin, size_t end)
{
    ((second *)arg)->calls += begin == 0 && end == 64;
}

static void *call_meanwhile(void *arg)
{
    second *const s = arg;
    threaded->platform->run(3, count_whole, s, 64, 1);
    s->done = 1;
    return NULL;
}

static void wait_for_second(const void *arg, size_t begin, size_t end)
{
    second *const s = (second *)arg;
    (void)end;
    if (begin)
        return;
    pthread_create(&s->thread, NULL, call_meanwhile, s);
    for (int i = 0; i < PATIENCE && !s->done; i++)
        nap();
    s->before_the_first = s->done;
}

static void two_callers(void)
{
    second s = {.calls = 0};
    threaded->platform->run(3, wait_for_second, &s, 64, 1);
    pthread_join(s.thread, NULL);
    report(s.before_the_first && s.calls == 1, "a second caller does not wait for the first, and does all by itself");
}

static void *caller(void *unused) { return (void)unused, (void *)(intptr_t)wrong_calls(CALLS); }

static void *changer(void *unused)
{
    for (int threads = 1; !stop; threads = threads % 5 + 1) {
        fl_set_num_threads(threads);
        nanosleep(&(struct timespec){0, 200000}, NULL);
    }
    return unused;
}

static void many_callers(void)
{
    pthread_t callers[CALLERS], one;
    intptr_t wrong = 0;
    void *result;
    pthread_create(&one, NULL, changer, NULL);
    for (int i = 0; i < CALLERS; i++)
        pthread_create(&callers[i], NULL, caller, NULL);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i], &result);
        wrong += (intptr_t)result;
    }
    stop = 1;
    pthread_join(one, NULL);
    stop = 0;
    report(wrong == 0, "many callers, while the number of threads changes");
    fl_set_num_threads(3);
}

#ifndef NO_FORK
static void *caller_without_end(void *unused)
{
    while (!stop)
        wrong_calls(1);
    return unused;
}

static int wrong_children(int children)
{
    int wrong = 0, status;
    for (int i = 0; i < children; i++) {
        const pid_t child = fork();
        if (child == 0) {
            alarm(60); /* a hang ends here */
            _exit(wrong_calls(5) != 0);
        }
        wrong += child < 0 || waitpid(child, &status, 0) != child || status != 0;
    }
    return wrong;
}

/* In a child, threads come to a job as they do elsewhere. */
static int left_alone(const pid_t child, int threads)
{
    int status;
    if (child == 0) {
        alarm(60);
        const meeting m = met(threads);
        _exit(m.most != threads);
    }
    return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}

static void fork_once(const void *arg, size_t begin, size_t end)
{
    (void)end;
    if (begin == 0)
        *(int *)arg = left_alone(fork(), 3);
    else
        nap();
}

static void children(void)
{
    pthread_t one;
    int alone = 0;
    report(!left_alone(fork(), 64), "a forked child has threads of its own, as many as there can be");
    threaded->platform->run(3, fork_once, &alone, 64, 1);
    report(!alone, "and so it has if it was forked in the middle of a job");
    report(wrong_children(CHILDREN) == 0, "forked children");
    pthread_create(&one, NULL, caller_without_end, NULL);
    report(wrong_children(CHILDREN) == 0, "forked children, in the middle of another thread's calls");
    stop = 1;
    pthread_join(one, NULL);
    stop = 0;
}

static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One small call every 5 ms may cost 5 % of a processor beyond the call itself. */
static void idle(void)
{
    double before, spent[2];
    for (int threads = 1; threads <= 3; threads += 2) {
        fl_set_num_threads(threads);
        wrong_calls(1);
        nanosleep(&(struct timespec){0, 5000000}, NULL);
        before = processor_seconds();
        for (int i = 0; i < 100; i++) {
            wrong_calls(1);
            nanosleep(&(struct timespec){0, 5000000}, NULL);
        }
        spent[threads > 1] = processor_seconds() - before;
    }
    printf("a call every 5 ms: %.1f %% of a processor with one thread, %.1f %% with three\n", spent[0] / 0.5 * 100,
           spent[1] / 0.5 * 100);
    nanosleep(&(struct timespec){0, 5000000}, NULL);
    before = processor_seconds();
    nanosleep(&(struct timespec){0, 300000000}, NULL);
    report(processor_seconds() - before < 0.003, "an idle process");
}
#endif

int main(void)
{
    const fl_isa *const best = fl_isa_best();
    threaded = fl_isa_threaded(best);
    for (size_t i = 0; i < SIZE; i++) {
        x[i] = (float)rand() / (float)RAND_MAX - 0.5f;
        grad[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    }
    fl_prelu_backward_f32(best, grad, x, weight, wanted, wanted_sums, OUTER, CHANNELS, INNER);
    nontemporal_threshold();
    fl_set_parallel_threshold(1);
    meetings(); /* first: they start the threads */
    two_callers();
    parts();
    bounds();
    questions(best);
    report(wrong_calls(CALLS) == 0, "three threads");
    many_callers();
#ifndef NO_FORK
    children();
    idle();
#endif
    printf("%lu passed, %lu failed\n", passed, failed);
    return failed != 0;
}
