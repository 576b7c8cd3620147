/* products.h - facts of products, for a solver to which a product of unknowns is one more unknown.
 * SPDX-License-Identifier: MIT
 *
 * Each is an instance of one rule: a product of numbers that are not negative is not negative. */
#include <map>

#include "paths.h"

class Products
{
    std::map<unsigned, z3::expr> known; /* by z3's number of each */
    struct Factor {
        z3::expr unknown;
        int64_t least, most;
    };
    std::map<unsigned, Factor> factors;

    /* The terms of a sum, or the factors of a product; no constants. */
    static void add_parts(const z3::expr &e, Z3_decl_kind kind, z3::expr_vector &found)
    {
        if (e.decl().decl_kind() == kind)
            for (unsigned i = 0; i < e.num_args(); i++)
                add_parts(e.arg(i), kind, found);
        else if (!e.is_numeral())
            found.push_back(e);
    }
    static z3::expr_vector parts(const z3::expr &e, Z3_decl_kind kind)
    {
        z3::expr_vector found(facts.z3);
        add_parts(e, kind, found);
        return found;
    }
    static z3::expr all_but(const z3::expr_vector &factors, unsigned one)
    {
        z3::expr product = constant(1);
        for (unsigned i = 0; i < factors.size(); i++)
            if (i != one)
                product = product * factors[i];
        return product;
    }
    void add(const z3::expr &not_negative)
    {
        const z3::expr sum = expanded(not_negative);
        facts.add(sum >= 0);
        learn(sum);
    }
    void learn_product(const z3::expr_vector &all)
    {
        for (unsigned i = 0; i < all.size(); i++) {
            const Factor &factor = factors.at(all[i].id());
            add(all_but(all, i) * (all[i] - constant(factor.least)));
            add(all_but(all, i) * (constant(factor.most) - all[i]));
        }
    }
    /* The remainder is 0 ... divisor - 1. */
    void learn_quotient(const z3::expr &quotient, const z3::expr &others)
    {
        const z3::expr divisor = quotient.arg(1), remainder = quotient.arg(0) - quotient * divisor;
        add(others * remainder);
        add(others * (divisor - 1 - remainder));
    }

  public:
    void forget() { known.clear(), factors.clear(); }
    /* An unknown of least ... most, which are not negative: of its products there are facts. */
    z3::expr factor(const std::string &name, int64_t least, int64_t most)
    {
        const z3::expr unknown = paths.unknown(name);
        facts.add(unknown >= constant(least) && unknown <= constant(most));
        if (least < 0)
            paths.wrong("a factor that may be negative");
        factors.insert({unknown.id(), {unknown, least, most}});
        return unknown;
    }
    /* As a sum of products. */
    static z3::expr expanded(const z3::expr &e)
    {
        z3::params options(facts.z3);
        options.set("som", true);
        return e.simplify(options);
    }
    /* The facts of each product of a sum. */
    void learn(const z3::expr &sum)
    {
        for (const z3::expr &term : parts(sum, Z3_OP_ADD)) {
            const z3::expr_vector all = parts(term, Z3_OP_MUL);
            const z3::expr product = expanded(all_but(all, all.size()));
            if (all.size() < 2 || !known.insert({product.id(), product}).second)
                continue;
            unsigned others = 0, other = all.size();
            for (unsigned i = 0; i < all.size(); i++)
                if (!factors.count(all[i].id()))
                    others++, other = i;
            if (!others)
                learn_product(all);
            else if (others == 1 && all[other].decl().decl_kind() == Z3_OP_IDIV)
                learn_quotient(all[other], all_but(all, other));
        }
    }
};
inline Products products;
