/* Call: what handlers read of XLA's call frame, and what they answer.
 *
 * Operands and results have the same leading dimensions, the lanes: one of size 1 is the same for
 * all along it (jax.vmap with "expand_dims"). The last axis, or the last few of results, is a
 * lane's own. Numbers are double or float; floats are computed in double and rounded at the end.
 */
#ifndef PHASIC_CALL_H
#define PHASIC_CALL_H

#include "ptd.h"

#include "xla/ffi/api/c_api.h"

/* Nested vmaps, and the axes of a Hessian. */
enum { PHASIC_MOST_AXES = 16 };

typedef struct {
    const void *data;
    int single;                        /* float instead of double */
    int64_t length;                    /* of a lane's row */
    int64_t strides[PHASIC_MOST_AXES]; /* numbers from lane to lane, by axis; 0: the same */
} phasic_operand;

typedef struct {
    void *data;
    int single;
    int64_t length; /* of a lane's part */
} phasic_result;

typedef struct {
    int rank;
    int64_t dims[PHASIC_MOST_AXES];
    int64_t count; /* product of dims */
} phasic_lanes;

/* Whether XLA only asks which version of the interface this handler speaks; then that is answered.
 * `stateful`: whether the handler's state is that of phasic_instantiate. */
int phasic_answers_metadata(const XLA_FFI_CallFrame *frame, int stateful);

/* A number among the attributes; 0 where there is none of this name and type. */
int phasic_whole_attribute(const XLA_FFI_CallFrame *frame, const char *name, int64_t *value);
int phasic_real_attribute(const XLA_FFI_CallFrame *frame, const char *name, double *value);

/* Reads operand or result `number`; NULL, or what is wrong with it. The first result, whose last
 * `axes` axes are a lane's own, says what the lanes are. */
const char *phasic_read_lanes(const XLA_FFI_CallFrame *frame, int axes, phasic_lanes *lanes);
const char *phasic_read_operand(const XLA_FFI_CallFrame *frame, int number,
                                const phasic_lanes *lanes, phasic_operand *operand);
const char *phasic_read_result(const XLA_FFI_CallFrame *frame, int number,
                               const phasic_lanes *lanes, int64_t length, phasic_result *result);

/* Where a lane's row begins, in numbers. */
int64_t phasic_offset(const phasic_operand *operand, const phasic_lanes *lanes, int64_t lane);
/* `count` numbers from `offset` on, as doubles: in place, or in `room`. */
const double *phasic_numbers(const phasic_operand *operand, int64_t offset, int64_t count,
                             double *room);
/* Where `count` numbers of a result from `offset` on may be written: in place, or `room`, from
 * where phasic_store brings them. */
double *phasic_place(const phasic_result *result, int64_t offset, double *room);
void phasic_store(const phasic_result *result, int64_t offset, int64_t count, const double *from);

/* Errors for XLA; messages begin with our name. */
XLA_FFI_Error *phasic_refuse(const XLA_FFI_CallFrame *frame, XLA_FFI_Error_Code code,
                             const char *message);
/* A failed evaluation, with the lane and its theta. */
XLA_FFI_Error *phasic_tell(const XLA_FFI_CallFrame *frame, ptd_status status,
                           const ptd_error *error, const phasic_lanes *lanes, int64_t lane,
                           const phasic_operand *theta);

#endif
