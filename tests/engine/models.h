/* Real models for tests: absorbing Markov chains by exploring a rule from a first state.
 *
 * States are numbered in order of discovery, 0 first; number n stands for absorption. The weight of
 * edge e is the sum over k of coefficient[e * n_parameters + k] * theta[k]. In each row edges have
 * ascending targets, all different.
 */
#ifndef MODELS_H
#define MODELS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_MAX_LENGTH = 64 };

typedef struct {
    int32_t n;
    int32_t n_parameters;
    int32_t state_length;
    int32_t *states; /* n x state_length */
    int64_t n_edges;
    int64_t *start;      /* n + 1, into the next two */
    int32_t *to;         /* n: absorbed */
    double *coefficient; /* n_edges x n_parameters */
} model;

/* ---- exploration */

typedef struct model_builder model_builder;
typedef void model_rule(model_builder *b, const int32_t *state);

struct model_builder {
    model m;
    int32_t option[2]; /* what the rule needs to know: numbers of demes, lineages, .. */
    int32_t max_states;
    int64_t max_edges;
    int64_t row_start;
    int32_t *table; /* open addressing: state number, -1 empty */
    uint32_t table_mask;
};

static inline void *model_allocate(size_t bytes)
{
    void *pointer = malloc(bytes ? bytes : 1);
    if (!pointer) {
        fputs("out of memory in a test model\n", stderr);
        exit(2);
    }
    return pointer;
}

static inline void *model_reallocate(void *pointer, size_t bytes)
{
    pointer = realloc(pointer, bytes);
    if (!pointer) {
        fputs("out of memory in a test model\n", stderr);
        exit(2);
    }
    return pointer;
}

static inline uint32_t model_hash(const int32_t *state, int32_t length)
{
    uint64_t hash = 1469598103934665603u;
    for (int32_t k = 0; k < length; k++) {
        hash = (hash ^ (uint32_t)state[k]) * 1099511628211u;
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash ^ (hash >> 32));
}

static inline void model_place(model_builder *b, int32_t number)
{
    int32_t length = b->m.state_length;
    uint32_t slot = model_hash(b->m.states + (size_t)number * (size_t)length, length);
    while (b->table[slot & b->table_mask] >= 0) {
        slot++;
    }
    b->table[slot & b->table_mask] = number;
}

static inline void model_grow(model_builder *b)
{
    size_t length = (size_t)b->m.state_length;
    b->max_states = b->max_states ? 2 * b->max_states : 1024;
    b->m.states = model_reallocate(b->m.states, (size_t)b->max_states * length * sizeof(int32_t));
    b->m.start = model_reallocate(b->m.start, ((size_t)b->max_states + 1) * sizeof(int64_t));
    b->table_mask = 4 * (uint32_t)b->max_states - 1;
    b->table = model_reallocate(b->table, ((size_t)b->table_mask + 1) * sizeof(int32_t));
    memset(b->table, 0xff, ((size_t)b->table_mask + 1) * sizeof(int32_t));
    for (int32_t i = 0; i < b->m.n; i++) {
        model_place(b, i);
    }
}

static inline int32_t model_state_number(model_builder *b, const int32_t *state)
{
    size_t length = (size_t)b->m.state_length;
    if (b->m.n == b->max_states) {
        model_grow(b);
    }
    uint32_t slot = model_hash(state, b->m.state_length);
    for (; b->table[slot & b->table_mask] >= 0; slot++) {
        int32_t number = b->table[slot & b->table_mask];
        if (!memcmp(b->m.states + (size_t)number * length, state, length * sizeof *state)) {
            return number;
        }
    }
    memcpy(b->m.states + (size_t)b->m.n * length, state, length * sizeof *state);
    b->table[slot & b->table_mask] = b->m.n;
    return b->m.n++;
}

/* Adds to the edge of the current state to `to`, which is put in its place in the row. */
static inline void model_add(model_builder *b, int32_t to, int32_t parameter, double coefficient)
{
    model *m = &b->m;
    size_t width = (size_t)m->n_parameters;
    int64_t e = m->n_edges;
    while (e > b->row_start && m->to[e - 1] > to) {
        e--;
    }
    if (e == b->row_start || m->to[e - 1] != to) {
        if (m->n_edges == b->max_edges) {
            b->max_edges = b->max_edges ? 2 * b->max_edges : 4096;
            m->to = model_reallocate(m->to, (size_t)b->max_edges * sizeof *m->to);
            m->coefficient = model_reallocate(m->coefficient, (size_t)b->max_edges * width *
                                                                  sizeof *m->coefficient);
        }
        size_t moved = (size_t)(m->n_edges - e);
        double *row = m->coefficient + (size_t)e * width;
        memmove(m->to + e + 1, m->to + e, moved * sizeof *m->to);
        memmove(row + width, row, moved * width * sizeof *row);
        memset(row, 0, width * sizeof *row);
        m->to[e++] = to;
        m->n_edges++;
    }
    m->coefficient[(size_t)(e - 1) * width + (size_t)parameter] += coefficient;
}

static inline void model_move(model_builder *b, const int32_t *next, int32_t parameter,
                              double coefficient)
{
    model_add(b, model_state_number(b, next), parameter, coefficient);
}

static inline void model_absorb(model_builder *b, int32_t parameter, double coefficient)
{
    model_add(b, INT32_MAX, parameter, coefficient);
}

static inline model model_explore(model_rule *rule, int32_t option0, int32_t option1,
                                  int32_t n_parameters, int32_t state_length, const int32_t *first)
{
    model_builder b = {.m = {.n_parameters = n_parameters, .state_length = state_length},
                       .option = {option0, option1}};
    int32_t state[MODEL_MAX_LENGTH];
    model_state_number(&b, first);
    b.m.start[0] = 0;
    for (int32_t i = 0; i < b.m.n; i++) {
        memcpy(state, b.m.states + (size_t)i * (size_t)state_length,
               (size_t)state_length * sizeof *state);
        b.row_start = b.m.n_edges;
        rule(&b, state);
        b.m.start[i + 1] = b.m.n_edges;
    }
    for (int64_t e = 0; e < b.m.n_edges; e++) {
        b.m.to[e] = b.m.to[e] == INT32_MAX ? b.m.n : b.m.to[e];
    }
    free(b.table);
    return b.m;
}

static inline void model_destroy(model *m)
{
    free(m->states);
    free(m->start);
    free(m->to);
    free(m->coefficient);
    *m = (model){0};
}

static inline double model_pairs(int32_t k)
{
    return 0.5 * (double)k * (double)(k - 1);
}

/* ---- structured coalescent: lineages by deme. Parameters: coalescence by deme, then migration
 * from each deme to each other one. Absorbed when one lineage is left. */

static inline void model_islands_rule(model_builder *b, const int32_t *state)
{
    int32_t demes = b->option[0];
    int32_t next[MODEL_MAX_LENGTH];
    int32_t total = 0;
    for (int32_t d = 0; d < demes; d++) {
        total += state[d];
        next[d] = state[d];
    }
    int32_t parameter = demes;
    for (int32_t d = 0; d < demes; d++) {
        next[d]--;
        if (state[d] >= 2 && total == 2) {
            model_absorb(b, d, 1.0);
        } else if (state[d] >= 2) {
            model_move(b, next, d, model_pairs(state[d]));
        }
        for (int32_t to = 0; to < demes; to++) {
            if (to == d) {
                continue;
            }
            if (state[d] > 0) {
                next[to]++;
                model_move(b, next, parameter, state[d]);
                next[to]--;
            }
            parameter++;
        }
        next[d]++;
    }
}

static inline model model_islands(int32_t demes, int32_t lineages)
{
    int32_t first[MODEL_MAX_LENGTH] = {0};
    for (int32_t k = 0; k < lineages; k++) {
        first[k % demes]++;
    }
    return model_explore(model_islands_rule, demes, lineages, demes * demes, demes, first);
}

/* ---- two-locus ancestral graph (R. R. Hudson, 1983): lineages that carry the first locus, the
 * second, both. Parameters: coalescence, recombination. A locus that has found its common ancestor
 * is forgotten; absorbed when both have. */

static inline void model_two_locus_move(model_builder *b, int32_t first, int32_t second,
                                        int32_t both, int32_t parameter, double rate)
{
    int32_t at_first = first + both;
    int32_t at_second = second + both;
    if (rate <= 0.0) {
        return;
    }
    if (at_first <= 1 && at_second <= 1) {
        model_absorb(b, parameter, rate);
        return;
    }
    int32_t next[3] = {first, second, both};
    if (at_first == 1) {
        next[0] = 0;
        next[1] = at_second;
        next[2] = 0;
    } else if (at_second == 1) {
        next[0] = at_first;
        next[1] = 0;
        next[2] = 0;
    }
    model_move(b, next, parameter, rate);
}

static inline void model_two_locus_rule(model_builder *b, const int32_t *s)
{
    model_two_locus_move(b, s[0] + 1, s[1] + 1, s[2] - 1, 1, s[2]);
    model_two_locus_move(b, s[0] - 1, s[1] - 1, s[2] + 1, 0, (double)s[0] * s[1]);
    model_two_locus_move(b, s[0] - 1, s[1], s[2], 0, model_pairs(s[0]) + (double)s[0] * s[2]);
    model_two_locus_move(b, s[0], s[1] - 1, s[2], 0, model_pairs(s[1]) + (double)s[1] * s[2]);
    model_two_locus_move(b, s[0], s[1], s[2] - 1, 0, model_pairs(s[2]));
}

static inline model model_two_locus(int32_t samples)
{
    const int32_t first[3] = {0, 0, samples};
    return model_explore(model_two_locus_rule, samples, 0, 2, 3, first);
}

/* ---- tandem queue: customers at two stations, each with room for capacity - 1. Parameters:
 * arrival, service at the first, at the second. Absorbed when an arrival finds no room. */

static inline void model_tandem_rule(model_builder *b, const int32_t *s)
{
    if (s[0] < b->option[0] - 1) {
        model_move(b, (const int32_t[2]){s[0] + 1, s[1]}, 0, 1.0);
    } else {
        model_absorb(b, 0, 1.0);
    }
    if (s[0] > 0 && s[1] < b->option[1] - 1) {
        model_move(b, (const int32_t[2]){s[0] - 1, s[1] + 1}, 1, 1.0);
    }
    if (s[1] > 0) {
        model_move(b, (const int32_t[2]){s[0], s[1] - 1}, 2, 1.0);
    }
}

static inline model model_tandem(int32_t first_capacity, int32_t second_capacity)
{
    const int32_t first[2] = {0, 0};
    return model_explore(model_tandem_rule, first_capacity, second_capacity, 3, 2, first);
}

/* ---- epidemic in a closed population: susceptible, infected. Parameters: infection, recovery and,
 * where immunity wanes (SIRS), its loss. Absorbed when nobody is infected. */

static inline void model_epidemic_rule(model_builder *b, const int32_t *s)
{
    int32_t population = b->option[0];
    int32_t recovered = population - s[0] - s[1];
    if (s[0] > 0) {
        model_move(b, (const int32_t[2]){s[0] - 1, s[1] + 1}, 0, (double)s[0] * s[1] / population);
    }
    if (s[1] == 1) {
        model_absorb(b, 1, 1.0);
    } else {
        model_move(b, (const int32_t[2]){s[0], s[1] - 1}, 1, s[1]);
    }
    if (b->option[1] && recovered > 0) {
        model_move(b, (const int32_t[2]){s[0] + 1, s[1]}, 2, recovered);
    }
}

static inline model model_epidemic(int32_t population, int immunity_wanes)
{
    const int32_t first[2] = {population - 1, 1};
    return model_explore(model_epidemic_rule, population, immunity_wanes, immunity_wanes ? 3 : 2, 2,
                         first);
}

/* ---- Kingman's coalescent: lineages. Parameter: coalescence. */

static inline void model_kingman_rule(model_builder *b, const int32_t *s)
{
    if (s[0] == 2) {
        model_absorb(b, 0, 1.0);
    } else {
        model_move(b, (const int32_t[1]){s[0] - 1}, 0, model_pairs(s[0]));
    }
}

static inline model model_kingman(int32_t samples)
{
    const int32_t first[1] = {samples};
    return model_explore(model_kingman_rule, samples, 0, 1, 1, first);
}

/* ---- site-frequency coalescent: lineages by number of descendants. Parameter: coalescence. */

static inline void model_site_frequency_rule(model_builder *b, const int32_t *s)
{
    int32_t samples = b->option[0];
    int32_t next[MODEL_MAX_LENGTH];
    for (int32_t i = 0; i < samples; i++) {
        for (int32_t j = i; j < samples; j++) {
            double rate = i == j ? model_pairs(s[i]) : (double)s[i] * s[j];
            if (rate == 0.0) {
                continue;
            }
            if (i + j + 2 == samples) {
                model_absorb(b, 0, rate);
                continue;
            }
            memcpy(next, s, (size_t)samples * sizeof *next);
            next[i]--;
            next[j]--;
            next[i + j + 1]++;
            model_move(b, next, 0, rate);
        }
    }
}

/* samples <= MODEL_MAX_LENGTH */
static inline model model_site_frequency(int32_t samples)
{
    int32_t first[MODEL_MAX_LENGTH] = {samples};
    return model_explore(model_site_frequency_rule, samples, 0, 1, samples, first);
}

/* ---- birth-death chain on 1 .. size, started in the middle. Parameters: birth, death. Absorbed
 * on leaving either end. */

static inline void model_birth_death_rule(model_builder *b, const int32_t *s)
{
    if (s[0] == b->option[0]) {
        model_absorb(b, 0, s[0]);
    } else {
        model_move(b, (const int32_t[1]){s[0] + 1}, 0, s[0]);
    }
    if (s[0] == 1) {
        model_absorb(b, 1, 1.0);
    } else {
        model_move(b, (const int32_t[1]){s[0] - 1}, 1, s[0]);
    }
}

static inline model model_birth_death(int32_t size)
{
    const int32_t first[1] = {(size + 1) / 2};
    return model_explore(model_birth_death_rule, size, 0, 2, 1, first);
}

#endif
