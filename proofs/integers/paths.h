/* paths.h - the ways through a function whose numbers are unknown integers, and what must hold on each.
 * SPDX-License-Identifier: MIT
 *
 * The function is run once for each way. Where it asks what depends on unknowns, it goes both ways, unless z3 shows
 * soon which one is impossible, and the answer is a fact from there on. What must hold is proved where the ways part,
 * or at the end. */
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>

#include "facts.h"

class Paths
{
    struct Answer {
        bool yes, is_last;
    };
    std::vector<Answer> answers; /* on this way; those from `at` on are yet to be given */
    size_t at = 0;
    std::set<std::string> names;
    std::vector<std::pair<z3::expr, std::string>> duties;

    bool is_new() const { return at == answers.size(); }
    void prove_duties()
    {
        z3::expr_vector all(facts.z3);
        for (const auto &[what, name] : duties)
            all.push_back(what);
        if (!duties.empty() && !facts.prove(z3::mk_and(all)))
            for (const auto &[what, name] : duties)
                if (!facts.prove(what))
                    wrong("it is not proved that " + name);
        duties.clear();
    }
    bool has_next()
    {
        while (!answers.empty() && answers.back().is_last)
            answers.pop_back();
        if (!answers.empty())
            answers.back() = {false, true};
        return !answers.empty();
    }

  public:
    std::string where; /* for who reads that something is wrong */

    [[noreturn]] void wrong(const std::string &what) const
    {
        std::printf("WRONG: %s: %s\n", where.c_str(), what.c_str());
        std::exit(1);
    }
    z3::expr unknown(std::string name)
    {
        while (!names.insert(name).second)
            name += "'";
        return facts.z3.int_const(name.c_str());
    }
    void must(const z3::expr &what, const std::string &name) { duties.push_back({what, name}); }
    bool shows(const z3::expr &what)
    {
        if (is_new())
            answers.push_back({facts.show(what), true});
        return answers[at++].yes;
    }
    /* Both ways. */
    bool choose()
    {
        if (is_new()) {
            prove_duties();
            answers.push_back({true, false});
        }
        duties.clear(); /* proved now, or on the way that came here first */
        return answers[at++].yes;
    }
    bool decide(const z3::expr &question)
    {
        if (shows(question))
            return true;
        if (shows(!question))
            return false;
        const bool yes = choose();
        if (!yes || !question.is_or()) /* that one of several is so would be of no use to z3 */
            facts.add(yes ? question : !question);
        return yes;
    }
    void each(const std::function<void()> &function)
    {
        do {
            at = 0;
            names.clear();
            facts.forget();
            function();
            prove_duties();
        } while (has_next());
    }
};
inline Paths paths;
