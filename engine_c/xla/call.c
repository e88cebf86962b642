/* Call: see call.h. */
#include "call.h"

#include <stdio.h>
#include <string.h>

#include "state.h"

enum { MOST_MESSAGE = 768 };

int phasic_answers_metadata(const XLA_FFI_CallFrame *frame, int stateful)
{
    for (const XLA_FFI_Extension_Base *at = frame->extension_start; at; at = at->next) {
        if (at->type == XLA_FFI_Extension_Metadata) {
            XLA_FFI_Metadata *metadata = ((const XLA_FFI_Metadata_Extension *)at)->metadata;
            metadata->api_version.major_version = XLA_FFI_API_MAJOR;
            metadata->api_version.minor_version = XLA_FFI_API_MINOR;
            metadata->traits = 0;
            metadata->state_type_id = stateful ? phasic_state_type : (XLA_FFI_TypeId){0};
            return 1;
        }
    }
    return 0;
}

static const XLA_FFI_Scalar *attribute(const XLA_FFI_CallFrame *frame, const char *name,
                                       XLA_FFI_DataType type)
{
    const XLA_FFI_Attrs *attrs = &frame->attrs;
    const size_t length = strlen(name);
    for (int64_t k = 0; k < attrs->size; k++) {
        if (attrs->names[k]->len == length && memcmp(attrs->names[k]->ptr, name, length) == 0) {
            const XLA_FFI_Scalar *scalar = attrs->attrs[k];
            return attrs->types[k] == XLA_FFI_AttrType_SCALAR && scalar->dtype == type ? scalar
                                                                                       : NULL;
        }
    }
    return NULL;
}

int phasic_whole_attribute(const XLA_FFI_CallFrame *frame, const char *name, int64_t *value)
{
    const XLA_FFI_Scalar *scalar = attribute(frame, name, XLA_FFI_DataType_S64);
    if (scalar) {
        *value = *(const int64_t *)scalar->value;
    }
    return scalar != NULL;
}

int phasic_real_attribute(const XLA_FFI_CallFrame *frame, const char *name, double *value)
{
    const XLA_FFI_Scalar *scalar = attribute(frame, name, XLA_FFI_DataType_F64);
    if (scalar) {
        *value = *(const double *)scalar->value;
    }
    return scalar != NULL;
}

static int is_real(XLA_FFI_DataType type)
{
    return type == XLA_FFI_DataType_F32 || type == XLA_FFI_DataType_F64;
}

const char *phasic_read_lanes(const XLA_FFI_CallFrame *frame, int axes, phasic_lanes *lanes)
{
    const XLA_FFI_Buffer *first = frame->rets.rets[0];
    if (first->rank < axes || first->rank - axes > PHASIC_MOST_AXES) {
        return "a result has too few axes, or more than 16 beside a lane's own (nested vmaps)";
    }
    lanes->rank = (int)first->rank - axes;
    lanes->count = 1;
    for (int k = 0; k < lanes->rank; k++) {
        lanes->dims[k] = first->dims[k];
        lanes->count *= first->dims[k];
    }
    return NULL;
}

const char *phasic_read_operand(const XLA_FFI_CallFrame *frame, int number,
                                const phasic_lanes *lanes, phasic_operand *operand)
{
    const XLA_FFI_Buffer *buffer = frame->args.args[number];
    if (!is_real(buffer->dtype)) {
        return "an operand is neither float32 nor float64";
    }
    if (buffer->rank != lanes->rank + 1) {
        return "an operand has another number of axes than the results";
    }
    operand->data = buffer->data;
    operand->single = buffer->dtype == XLA_FFI_DataType_F32;
    operand->length = buffer->dims[lanes->rank];
    int64_t stride = operand->length;
    for (int k = lanes->rank - 1; k >= 0; k--) {
        if (buffer->dims[k] != lanes->dims[k] && buffer->dims[k] != 1) {
            return "an operand has other leading axes than the results";
        }
        operand->strides[k] = buffer->dims[k] == 1 ? 0 : stride;
        stride *= buffer->dims[k];
    }
    return NULL;
}

const char *phasic_read_result(const XLA_FFI_CallFrame *frame, int number,
                               const phasic_lanes *lanes, int64_t length, phasic_result *result)
{
    const XLA_FFI_Buffer *buffer = frame->rets.rets[number];
    int64_t numbers = 1;
    for (int64_t k = 0; k < buffer->rank; k++) {
        numbers *= buffer->dims[k];
    }
    if (!is_real(buffer->dtype)) {
        return "a result is neither float32 nor float64";
    }
    if (numbers != lanes->count * length) {
        return "a result has the wrong size";
    }
    *result = (phasic_result){buffer->data, buffer->dtype == XLA_FFI_DataType_F32, length};
    return NULL;
}

int64_t phasic_offset(const phasic_operand *operand, const phasic_lanes *lanes, int64_t lane)
{
    int64_t offset = 0;
    for (int k = lanes->rank - 1; k >= 0; k--) {
        offset += lane % lanes->dims[k] * operand->strides[k];
        lane /= lanes->dims[k];
    }
    return offset;
}

const double *phasic_numbers(const phasic_operand *operand, int64_t offset, int64_t count,
                             double *room)
{
    if (!operand->single) {
        return (const double *)operand->data + offset;
    }
    for (int64_t k = 0; k < count; k++) {
        room[k] = ((const float *)operand->data)[offset + k];
    }
    return room;
}

double *phasic_place(const phasic_result *result, int64_t offset, double *room)
{
    return result->single ? room : (double *)result->data + offset;
}

void phasic_store(const phasic_result *result, int64_t offset, int64_t count, const double *from)
{
    if (result->single) {
        for (int64_t k = 0; k < count; k++) {
            ((float *)result->data)[offset + k] = (float)from[k];
        }
    } else if (from != (double *)result->data + offset && count > 0) {
        memcpy((double *)result->data + offset, from, (size_t)count * sizeof(double));
    }
}

XLA_FFI_Error *phasic_refuse(const XLA_FFI_CallFrame *frame, XLA_FFI_Error_Code code,
                             const char *message)
{
    char named[MOST_MESSAGE + 8];
    snprintf(named, sizeof named, "phasic: %s", message);
    XLA_FFI_Error_Create_Args args = {
        .struct_size = XLA_FFI_Error_Create_Args_STRUCT_SIZE, .message = named, .errc = code};
    return frame->api->XLA_FFI_Error_Create(&args);
}

static XLA_FFI_Error_Code code_of(ptd_status status)
{
    switch (status) {
    case PTD_NO_MEMORY:
        return XLA_FFI_Error_Code_RESOURCE_EXHAUSTED;
    case PTD_DENSITY_REFUSED:
    case PTD_RESULT_OVERFLOW:
        return XLA_FFI_Error_Code_OUT_OF_RANGE;
    default:
        return XLA_FFI_Error_Code_INVALID_ARGUMENT;
    }
}

XLA_FFI_Error *phasic_tell(const XLA_FFI_CallFrame *frame, ptd_status status,
                           const ptd_error *error, const phasic_lanes *lanes, int64_t lane,
                           const phasic_operand *theta)
{
    enum { MOST_SHOWN = 8 };
    char message[MOST_MESSAGE];
    double room[MOST_SHOWN];
    const int64_t shown = theta->length < MOST_SHOWN ? theta->length : MOST_SHOWN;
    const double *numbers = phasic_numbers(theta, phasic_offset(theta, lanes, lane), shown, room);
    const char *name = ptd_status_name(status);
    size_t at = (size_t)snprintf(
        message, sizeof message, "%s: %s (%lld, %g), at lane %lld of %lld, theta = [",
        strncmp(name, "PTD_", 4) == 0 ? name + 4 : name, ptd_status_text(status),
        (long long)error->index, error->value, (long long)lane, (long long)lanes->count);
    for (int64_t k = 0; k < shown && at < sizeof message; k++) {
        at += (size_t)snprintf(message + at, sizeof message - at, k > 0 ? ", %.9g" : "%.9g",
                               numbers[k]);
    }
    if (at < sizeof message) {
        snprintf(message + at, sizeof message - at, theta->length > shown ? ", ...]" : "]");
    }
    return phasic_refuse(frame, code_of(status), message);
}
