/* facts.h - what is known of unknown integers, and what follows from it, as z3 says.
 * SPDX-License-Identifier: MIT */
#include <map>

#include <z3++.h>

class Facts
{
    enum { SHORT = 5000, LONG = 4000000 }; /* in z3's own units of work; no proof takes a tenth of it */

    z3::solver started(unsigned limit)
    {
        z3::params options(z3);
        options.set("smt.arith.nl", false);  /* a product of unknowns is one more unknown: products.h */
        options.set("smt.arith.solver", 2u); /* the fastest here */
        options.set("rlimit", limit);
        z3::solver solver(z3, z3::solver::simple());
        solver.set(options);
        return solver;
    }

  public:
    z3::context z3;

  private:
    std::map<unsigned, z3::expr> known; /* by z3's number of each */
    z3::solver brief{z3};

  public:
    long proofs = 0;

    void forget()
    {
        known.clear();
        brief = started(SHORT);
    }
    void add(const z3::expr &fact)
    {
        if (known.insert({fact.id(), fact}).second)
            brief.add(fact);
    }
    /* Does it follow, and does that show soon? */
    bool show(const z3::expr &what)
    {
        z3::expr_vector contrary(z3);
        contrary.push_back(!what);
        return brief.check(contrary) == z3::unsat;
    }
    /* Does it follow? A new solver often finds at once what one that has answered questions does not. */
    bool prove(const z3::expr &what)
    {
        z3::solver solver = started(LONG);
        for (const auto &[number, fact] : known)
            solver.add(fact);
        solver.add(!what);
        proofs++;
        return solver.check() == z3::unsat;
    }
};
inline Facts facts;
inline z3::expr constant(int64_t n) { return facts.z3.int_val(n); }
