/* stress.h - what the tests of csrc/threads share: a call with its known result, and a job that sees who comes to it.
 * SPDX-License-Identifier: MIT */
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
#include <time.h>
#ifdef _WIN32 /* has neither forks nor signals, of which there are SIGSYS */
#define NO_FORK
#undef pthread_sigmask
#define pthread_sigmask(how, set, before) ((void)(set), (void)(before))
#define sigaddset(set, s) ((void)(set))
#define sigismember(set, s) ((void)(set), 1)
typedef int sigset_t;
enum { SIGSYS, SIGKILL, SIGSTOP, SIGUSR1 };
#else
#include <sys/wait.h>
#include <unistd.h>
#endif

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
