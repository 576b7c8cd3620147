/* stress.c - csrc/threads: the rules that it keeps (stress_rules.h), and the same bits under every strain of a program.
 * SPDX-License-Identifier: MIT
 *
 * The strain: many callers at once while the number of threads changes; forked children of a process that has used its
 * threads, of one whose other threads are in the middle of a call, and of a job itself; an idle process, which must not
 * compute. ThreadSanitizer does not allow threads after such a fork: with it, build with -DNO_FORK. */
#include "stress.h"
#include "stress_rules.h"

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
