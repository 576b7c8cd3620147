/* number.h - a C integer of some bits whose value is unknown: an expression of z3.
 * SPDX-License-Identifier: MIT
 *
 * z3's integers have no bits: that each result fits its type must be proved. */
#include <optional>

#include "products.h"

/* The answer to a question that may depend on unknowns. */
struct Truth {
    z3::expr is;
    explicit operator bool() const { return is.is_true() || (!is.is_false() && paths.decide(is)); }
};

/* A loop `for (x = first; x <= last; x++)` runs once, with an x that stands for all, and changes nothing but by |=.
 * Outside of a loop `has_x` is empty; in it, it says whether x is one of first ... last. */
struct Loop {
    std::optional<z3::expr> x, has_x;
};
inline Loop loop;

template <int BITS> class Number
{
    std::optional<z3::expr> value; /* none: it is not initialised */

    static z3::expr power(int exponent) { return facts.z3.int_val((uint64_t)1 << exponent); }
    static Number made(const z3::expr &value)
    {
        const z3::expr sum = Products::expanded(value);
        products.learn(sum);
        paths.must(sum >= -power(BITS - 1) && sum < power(BITS - 1), "an integer fits its type");
        return sum;
    }
    /* In a loop: the sign of all numbers, of which b is one, and of a. */
    static z3::expr any_sign(const z3::expr &a, const z3::expr &b)
    {
        const z3::expr all = paths.unknown("all");
        if (paths.choose())
            facts.add(all >= 0 && a >= 0 && z3::implies(*loop.has_x, b >= 0));
        else
            facts.add(all < 0);
        return all;
    }
    /* The bits of several numbers, a and b among them; none is negative, and none has more than the longest. */
    static z3::expr several(const z3::expr &a, const z3::expr &b)
    {
        int bits = BITS - 1;
        while (bits && paths.shows(a < power(bits - 1) && b < power(bits - 1)))
            bits--;
        paths.must(a >= 0 && b >= 0 && a < power(bits) && b < power(bits), "no number is negative");
        const z3::expr all = b + products.factor("others", 0, ((int64_t)1 << bits) - 1);
        facts.add(all < power(bits));
        return all;
    }

  public:
    Number() = default;
    Number(int n) : value(constant(n)) {}
    Number(const z3::expr &e) : value(e) {}
    template <int LESS>
        requires(LESS < BITS)
    Number(const Number<LESS> &n) : value(n.get())
    {
    }
    template <int MORE>
        requires(MORE > BITS)
    explicit Number(const Number<MORE> &n) : Number(made(n.get()))
    {
    }
    Number(const Number &) = default;
    Number &operator=(const Number &other)
    {
        if (loop.has_x)
            paths.wrong("a loop that changes more than bits");
        value = other.value;
        return *this;
    }
    z3::expr get() const
    {
        if (!value)
            paths.wrong("a number that is not initialised");
        return *value;
    }

    friend Number operator-(const Number &a) { return made(-a.get()); }
    friend Number operator+(const Number &a, const Number &b) { return made(a.get() + b.get()); }
    friend Number operator-(const Number &a, const Number &b) { return made(a.get() - b.get()); }
    friend Number operator*(const Number &a, const Number &b) { return made(a.get() * b.get()); }
    friend Number operator>>(const Number &a, int right)
    {
        if (right < 0 || right >= BITS)
            paths.wrong("a shift by more than there are bits");
        return made(a.get() / power(right));
    }
    friend Number operator&(const Number &a, const Number &mask)
    {
        const int64_t lowest = mask.get().get_numeral_int64();
        if (lowest < 0 || lowest & (lowest + 1))
            paths.wrong("a mask that is not the lowest bits");
        return made(z3::mod(a.get(), constant(lowest + 1)));
    }
    /* With what a loop has, of which `b` stands for all. */
    Number &operator|=(const Number &b)
    {
        value = loop.has_x ? any_sign(get(), b.get()) : several(get(), b.get());
        return *this;
    }
    void operator++(int)
    {
        if (loop.has_x && !z3::eq(get(), *loop.x))
            paths.wrong("a loop that changes more than bits");
        value = made(get() + 1).value;
    }

    friend Truth operator>(const Number &a, const Number &b) { return {(a.get() > b.get()).simplify()}; }
    friend Truth operator<(const Number &a, const Number &b) { return b > a; }
    friend Truth operator>=(const Number &a, const Number &b) { return {(a.get() >= b.get()).simplify()}; }
    friend Truth operator||(const Number &a, const Number &b) { return {a.get() != 0 || b.get() != 0}; }
    /* Of a loop: its variable changes. */
    friend bool operator<=(Number &x, const Number &last)
    {
        const bool begins = !loop.has_x;
        if (begins) {
            loop.has_x = x.get() <= *loop.x && *loop.x <= last.get();
            x.value = loop.x;
        } else {
            if (!z3::eq(x.get(), Products::expanded(*loop.x + 1)))
                paths.wrong("a loop that leaves some out");
            loop.has_x.reset();
        }
        return begins;
    }
};
