/* Exits: which sums are one, which are folded into a form, and which must stay apart. */
#include "exits.h"

#include <float.h>
#include <string.h>

#include "check.h"

typedef struct {
    ptd_graph *graph;
    ptd_graph_view view;
    ptd_layout layout;
    ptd_exits exits;
} fixture;

static void open_graph(fixture *f, int64_t n_vertices)
{
    memset(f, 0, sizeof *f);
    CHECK(ptd_graph_create(PTD_CONTINUOUS, 2, 0, &f->graph, NULL) == PTD_OK);
    CHECK(ptd_graph_add_vertices(f->graph, n_vertices - 1, NULL, NULL) == PTD_OK);
}

static void connect(fixture *f, int64_t from, int64_t to, double base, double c0, double c1)
{
    const double coefficients[2] = {c0, c1};
    CHECK(ptd_graph_add_edge(f->graph, from, to, base, coefficients, NULL) == PTD_OK);
}

static void collect(fixture *f)
{
    CHECK(ptd_graph_freeze(f->graph, 0, NULL) == PTD_OK);
    CHECK(ptd_graph_get_view(f->graph, &f->view, NULL) == PTD_OK);
    CHECK(ptd_layout_create(&f->view, &f->layout, NULL) == PTD_OK);
    CHECK(ptd_exits_create(&f->view, &f->layout, &f->exits, NULL) == PTD_OK);
}

static void destroy(fixture *f)
{
    ptd_exits_destroy(&f->exits);
    ptd_layout_destroy(&f->layout);
    ptd_graph_destroy(f->graph);
}

/* The forms of a vertex's exit sum. */
static uint32_t exit_count(const fixture *f, int64_t vertex)
{
    uint32_t exit = f->exits.of_vertex[vertex];
    return exit == PTD_NONE ? 0 : f->exits.start[exit + 1] - f->exits.start[exit];
}

static uint32_t exit_form(const fixture *f, int64_t vertex, uint32_t k)
{
    return f->exits.form[f->exits.start[f->exits.of_vertex[vertex]] + k];
}

static int form_is(const fixture *f, uint32_t form, double base, double c0, double c1)
{
    const ptd_forms *forms = &f->exits.forms;
    double coefficients[2] = {0.0, 0.0};
    for (int64_t k = forms->start[form]; k < forms->start[form + 1]; k++) {
        coefficients[forms->parameter[k]] = forms->coefficient[k];
    }
    return forms->base[form] == base && coefficients[0] == c0 && coefficients[1] == c1;
}

/* Non-negative forms fold; a sum that is a form of the graph already is that form. */
static void test_folding(void)
{
    fixture f;
    open_graph(&f, 6);
    connect(&f, 0, 1, 1.0, 0.0, 0.0);
    connect(&f, 1, 2, 0.0, 1.0, 0.0);
    connect(&f, 1, 5, 1.0, 0.0, 2.0);
    connect(&f, 2, 3, 1.0, 1.0, 2.0);
    connect(&f, 3, 4, 0.0, 1.0, 0.0);
    connect(&f, 3, 5, 0.0, 1.0, 0.0);
    connect(&f, 4, 5, 0.0, 2.0, 0.0);
    collect(&f);
    CHECK(f.exits.of_vertex[5] == PTD_NONE);
    for (int64_t v = 0; v < 5; v++) {
        CHECK(exit_count(&f, v) == 1);
    }
    CHECK(f.exits.of_vertex[1] == f.exits.of_vertex[2]);
    CHECK(form_is(&f, exit_form(&f, 1, 0), 1.0, 1.0, 2.0));
    CHECK(f.exits.of_vertex[3] == f.exits.of_vertex[4]);
    CHECK(form_is(&f, exit_form(&f, 3, 0), 0.0, 2.0, 0.0));
    CHECK(f.exits.n_exits == 3);
    CHECK(f.exits.forms.count == f.view.n_forms);
    destroy(&f);
}

/* A sum that is no form yet is added behind the graph's, once. */
static void test_new_forms(void)
{
    fixture f;
    open_graph(&f, 4);
    connect(&f, 0, 1, 0.5, 0.0, 0.0);
    connect(&f, 0, 2, 0.5, 0.0, 0.0);
    connect(&f, 1, 2, 0.0, 1.0, 0.0);
    connect(&f, 1, 3, 0.0, 0.0, 1.0);
    connect(&f, 2, 3, 0.0, 0.0, 1.0);
    collect(&f);
    CHECK(f.exits.forms.count == f.view.n_forms + 2);
    for (int64_t form = 0; form < f.view.n_forms; form++) {
        CHECK(f.exits.forms.base[form] == f.view.form_base[form]);
        CHECK(f.exits.forms.start[form + 1] == f.view.form_start[form + 1]);
    }
    CHECK(exit_form(&f, 1, 0) == f.view.n_forms);
    CHECK(form_is(&f, exit_form(&f, 1, 0), 0.0, 1.0, 1.0));
    CHECK(form_is(&f, exit_form(&f, 0, 0), 1.0, 0.0, 0.0));
    destroy(&f);
}

/* theta_0 and 1 - theta_0 add up to 1 and must not be: at theta_0 = 1e-20 their weights are 1e-20
 * and 1. Equal lists are one sum, however often a form stands in them. */
static void test_mixed_signs(void)
{
    fixture f;
    open_graph(&f, 8);
    connect(&f, 0, 1, 1.0, 0.0, 0.0);
    connect(&f, 1, 2, 0.0, 1.0, 0.0);
    connect(&f, 1, 7, 1.0, -1.0, 0.0);
    connect(&f, 2, 7, 0.0, 1.0, 0.0);
    connect(&f, 2, 3, 1.0, -1.0, 0.0);
    connect(&f, 3, 4, 1.0, -1.0, 0.0);
    connect(&f, 3, 7, 1.0, -1.0, 0.0);
    connect(&f, 4, 5, 1.0, -1.0, 0.0);
    connect(&f, 5, 6, -1.0, 2.0, 0.0);
    connect(&f, 5, 7, 1.0, 0.0, 0.0);
    connect(&f, 6, 7, 1.0, 0.0, 0.0);
    collect(&f);
    CHECK(exit_count(&f, 1) == 2);
    CHECK(exit_form(&f, 1, 0) < exit_form(&f, 1, 1));
    CHECK(f.exits.of_vertex[2] == f.exits.of_vertex[1]);
    CHECK(exit_count(&f, 3) == 2);
    CHECK(exit_form(&f, 3, 0) == exit_form(&f, 3, 1));
    CHECK(exit_count(&f, 4) == 1);
    CHECK(exit_form(&f, 4, 0) == exit_form(&f, 3, 0));
    CHECK(exit_count(&f, 5) == 2);
    CHECK(f.exits.forms.count == f.view.n_forms);
    destroy(&f);
}

/* Two forms that are finite and whose sum is not: at a small theta it is. */
static void test_overflow(void)
{
    fixture f;
    open_graph(&f, 4);
    connect(&f, 0, 1, 1.0, 0.0, 0.0);
    connect(&f, 1, 2, 0.0, DBL_MAX, 0.0);
    connect(&f, 1, 3, 0.0, 0.75 * DBL_MAX, 0.0);
    connect(&f, 2, 3, 0.0, 3.0, 0.0);
    collect(&f);
    CHECK(exit_count(&f, 1) == 2);
    CHECK(exit_count(&f, 2) == 1 && form_is(&f, exit_form(&f, 2, 0), 0.0, 3.0, 0.0));
    CHECK(f.exits.forms.count == f.view.n_forms);
    destroy(&f);
}

/* Inside a component only what leaves it counts; none is none. */
static void test_components(void)
{
    fixture f;
    open_graph(&f, 5);
    connect(&f, 0, 1, 1.0, 0.0, 0.0);
    connect(&f, 1, 2, 4.0, 0.0, 0.0);
    connect(&f, 2, 3, 5.0, 0.0, 0.0);
    connect(&f, 3, 1, 6.0, 0.0, 0.0);
    connect(&f, 3, 2, 7.0, 0.0, 0.0);
    connect(&f, 2, 4, 0.0, 1.0, 1.0);
    collect(&f);
    CHECK(f.exits.of_vertex[1] == PTD_NONE);
    CHECK(f.exits.of_vertex[3] == PTD_NONE);
    CHECK(exit_count(&f, 2) == 1 && form_is(&f, exit_form(&f, 2, 0), 0.0, 1.0, 1.0));
    CHECK(exit_count(&f, 0) == 1 && form_is(&f, exit_form(&f, 0, 0), 1.0, 0.0, 0.0));
    CHECK(f.exits.n_exits == 2);
    destroy(&f);
}

/* Thousands of different sums, so that tables and arrays grow; each comes up twice. */
static void test_many(void)
{
    enum { PAIRS = 3000 };
    fixture f;
    int64_t absorbing = 1 + 2 * PAIRS;
    open_graph(&f, absorbing + 1);
    connect(&f, 0, 1, 1.0, 0.0, 0.0);
    for (int64_t k = 0; k < 2 * PAIRS; k++) {
        double sign = k % PAIRS % 2 ? 1.0 : -1.0;
        double value = 1.0 + (double)(k % PAIRS);
        if (k + 2 < 2 * PAIRS) {
            connect(&f, 1 + k, 2 + k, value, 0.0, 1.0);
        } else {
            connect(&f, 1 + k, absorbing, value, 0.0, 1.0);
        }
        if (k + 3 < 2 * PAIRS) {
            connect(&f, 1 + k, 3 + k, 0.0, sign, 1.0);
        } else {
            connect(&f, 1 + k, absorbing, 0.0, sign, 1.0);
        }
    }
    connect(&f, 2 * PAIRS - 1, 2 * PAIRS, 1.0, 0.0, 0.0);
    collect(&f);
    for (int64_t k = 0; k < PAIRS - 3; k++) {
        CHECK(f.exits.of_vertex[1 + k] == f.exits.of_vertex[1 + PAIRS + k]);
        CHECK(exit_count(&f, 1 + k) == (k % 2 ? 1 : 2));
        CHECK(k == 0 || f.exits.of_vertex[k] != f.exits.of_vertex[1 + k]);
    }
    destroy(&f);
}

int main(void)
{
    test_folding();
    test_new_forms();
    test_mixed_signs();
    test_overflow();
    test_components();
    test_many();
    return check_result();
}
