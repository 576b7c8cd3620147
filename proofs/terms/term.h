/* term.h - numbers that are terms: what was computed, of what, and in which order. Equal terms are one object.
 * SPDX-License-Identifier: MIT
 *
 * Nothing is known of an operation but what IEEE promises of each: sums and products commute; a sum with +0 is the
 * other number, unless that can be -0, which a sum that starts at +0 is not; and of no number but whether it is
 * positive, which is chosen for each term. */
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>
#include <vector>

enum operation { ZERO, INPUT, GRADIENT, PARAMETER, SHARED, SUM, SUM_OF_DOUBLES, PRODUCT, NEGATIVE };

class terms
{
    struct node {
        operation op;
        uint32_t a, b;
        bool never_minus_0;
    };
    std::unordered_map<uint64_t, uint32_t> known;
    std::vector<node> nodes;

  public:
    void clear()
    {
        known.clear();
        nodes.clear();
        known.reserve(4096);
        of(ZERO, 0, 0, true);
    }
    uint32_t of(operation op, uint32_t a, uint32_t b, bool never_minus_0)
    {
        a &= 0x3fffffff; /* the index of an element ahead of an array is negative */
        const auto [place, is_new] =
            known.try_emplace((uint64_t)op << 60 | (uint64_t)a << 30 | b, (uint32_t)nodes.size());
        if (is_new)
            nodes.push_back({op, a, b, never_minus_0});
        return place->second;
    }
    uint32_t sum(operation op, uint32_t a, uint32_t b)
    {
        if (a > b)
            std::swap(a, b);
        if (a == 0 && nodes[b].never_minus_0)
            return b;
        return of(op, a, b, nodes[a].never_minus_0 || nodes[b].never_minus_0);
    }
    uint32_t product(uint32_t a, uint32_t b)
    {
        if (a > b)
            std::swap(a, b);
        return a == 0 ? 0 : of(PRODUCT, a, b, false);
    }
};
inline terms all_terms;

/* Any choice, but always the same one for the same numbers. */
inline bool chosen(uint32_t a, uint32_t b) { return (a * 2654435761u ^ (b + 1) * 2246822519u) >> 17 & 1; }

struct Term {
    uint32_t id;
    Term() = default;
    Term(int zero) : id(0)
    {
        if (zero)
            __builtin_trap();
    }
    Term(float shared) : id(all_terms.of(SHARED, (uint32_t)shared, 0, false)) {}
    static Term leaf(operation op, size_t a, size_t b = 0)
    {
        Term t;
        t.id = all_terms.of(op, (uint32_t)a, (uint32_t)b, false);
        return t;
    }
    static Term node(uint32_t id)
    {
        Term t;
        t.id = id;
        return t;
    }
};
inline Term operator+(Term a, Term b) { return Term::node(all_terms.sum(SUM, a.id, b.id)); }
inline Term operator*(Term a, Term b) { return Term::node(all_terms.product(a.id, b.id)); }
inline Term operator-(Term a) { return Term::node(a.id ? all_terms.of(NEGATIVE, a.id, 0, false) : 0); }
inline bool operator>(Term a, Term b) { return a.id && chosen(a.id, b.id); }
inline bool operator<(Term a, Term b) { return a.id && chosen(b.id, a.id); }
inline bool operator>=(Term a, Term b) { return a.id && chosen(a.id, b.id + 7); }
inline bool operator!=(Term a, Term b) { return a.id != b.id; }

/* The numbers of the type double: their sums are others. */
struct Double {
    Term term;
    Double() = default;
    Double(int zero) : term(zero) {}
    Double(Term t) : term(t) {}
};
inline Double operator+(Double a, Double b) { return Term::node(all_terms.sum(SUM_OF_DOUBLES, a.term.id, b.term.id)); }
inline Double &operator+=(Double &a, Double b) { return a = a + b; }
