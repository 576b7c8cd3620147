/* stress_rules.h - the rules that csrc/threads keeps: bounds and thresholds, the parts of a job, who works on it.
 * SPDX-License-Identifier: MIT */

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
    fl_bias_leaky_relu_f32(&isa, x, weight, out, OUTER, CHANNELS, INNER, 0.1f, 1, 0);
    wrong += asked_otherwise(2 * sizeof x);
    fl_bias_leaky_relu_backward_f32(&isa, grad, x, out, sums, OUTER, CHANNELS, INNER, 0.1f, 1, 0);
    wrong += asked_otherwise(3 * sizeof x);
    fl_bias_leaky_relu_backward_f32(&isa, grad, out, out, sums, OUTER, CHANNELS, INNER, 0.1f, 1, 0);
    wrong += asked_otherwise(0);
    fl_scale_shift_leaky_relu_f32(&isa, x, grad, weight, weight, out, OUTER, CHANNELS, INNER, 0.1f);
    wrong += asked_otherwise(3 * sizeof x);
    fl_scale_shift_prelu_f32(&isa, x, NULL, weight, weight, weight, out, OUTER, CHANNELS, INNER);
    wrong += asked_otherwise(2 * sizeof x);
    fl_scale_shift_prelu_f32(&isa, x, out, weight, weight, weight, out, OUTER, CHANNELS, INNER);
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
