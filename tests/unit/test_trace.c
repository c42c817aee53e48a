/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include "trace/trace_out.h"
#include "trace/trace_write.h"

/* Traces that come from foreign recordings: what their records may leave open. */

#define ORIGIN "{\"seq\":0,\"kind\":\"origin\",\"format\":\"qemu-int\",\"detail\":\"QEMU 7.2\"}\n"

static const char file_name[] = "test_trace.tmp.jsonl";
static const char cbor_name[] = "test_trace.tmp.cbor";

static void setup(void)
{
}

static void teardown(void)
{
    remove(file_name);
    remove(cbor_name);
}

static struct trace *open_text(const char *text)
{
    FILE *file = fopen(file_name, "w");
    ck_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    struct trace *trace = trace_open(file_name);
    ck_assert_ptr_nonnull(trace);
    return trace;
}

/* All of a trace, as trace_write has it. */
static void write_all(struct trace *trace, char *text, size_t size)
{
    const struct trace_line *line;
    FILE *out = fmemopen(text, size, "w");
    bool is_first = true;
    while ((line = trace_next(trace))) {
        if (is_first && trace_origin(trace))
            trace_write_origin(trace_origin(trace), out);
        is_first = false;
        trace_write(line, out);
    }
    ck_assert(!trace_failed(trace));
    fclose(out);
}

/* The same trace in CBOR. */
static struct trace *pass_through_cbor(const char *text)
{
    const struct trace_line *line;
    struct trace *trace = open_text(text);
    struct trace_out *out = trace_out_open(cbor_name, (struct trace_form){.is_cbor = true});
    bool is_first = true;
    while ((line = trace_next(trace))) {
        if (is_first && trace_origin(trace))
            trace_out_origin(out, trace_origin(trace));
        is_first = false;
        trace_out_line(out, line);
    }
    trace_close(trace);
    ck_assert(trace_out_close(out));
    trace = trace_open(cbor_name);
    ck_assert_ptr_nonnull(trace);
    return trace;
}

/* Read and written, a trace is what it was, in both encodings. */
static void assert_comes_back(const char *text)
{
    char found[4096];
    struct trace *trace = open_text(text);
    write_all(trace, found, sizeof found);
    trace_close(trace);
    ck_assert_str_eq(found, text);
    trace = pass_through_cbor(text);
    write_all(trace, found, sizeof found);
    trace_close(trace);
    ck_assert_str_eq(found, text);
}

static void assert_is_refused(const char *text)
{
    struct trace *trace = open_text(text);
    while (trace_next(trace))
        ;
    ck_assert(trace_failed(trace));
    trace_close(trace);
}

START_TEST(an_origin_is_known_with_the_first_record_and_is_none)
{
    struct trace *trace = open_text(ORIGIN "{\"seq\":7,\"kind\":\"unknown\"}\n");
    const struct trace_line *line = trace_next(trace);
    ck_assert_ptr_nonnull(line);
    ck_assert_uint_eq(line->seq, 7);
    ck_assert_int_eq(line->kind, TRACE_KIND_unknown);
    ck_assert_uint_eq(line->has, 0);
    ck_assert_str_eq(trace_kind_name(line->kind), "unknown");
    ck_assert_str_eq(trace_origin(trace)->format, "qemu-int");
    ck_assert_str_eq(trace_origin(trace)->detail, "QEMU 7.2");
    ck_assert_ptr_null(trace_next(trace));
    ck_assert(!trace_failed(trace));
    trace_close(trace);
}
END_TEST

START_TEST(a_foreign_record_has_what_was_said)
{
    static const struct {
        const char *rest;
        unsigned has;
    } cases[] = {
        {"", 0},
        {",\"time\":5,\"task\":6", TRACE_HAS_TIME | TRACE_HAS_TASK},
        {",\"exit_code\":2", TRACE_HAS_EXIT_CODE},
        {",\"g0\":1,\"g1\":2", TRACE_HAS_EVENTS},
        {",\"in\":{}", TRACE_HAS_IN},
        {",\"fx\":[]", TRACE_HAS_FX},
        {",\"to\":\"host\"", TRACE_HAS_TO},
        {",\"out\":{}", TRACE_HAS_OUT},
    };
    char text[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, ORIGIN "{\"seq\":1,\"kind\":\"guest_exit\"%s}\n",
                 cases[i].rest);
        struct trace *trace = open_text(text);
        const struct trace_line *line = trace_next(trace);
        ck_assert_ptr_nonnull(line);
        ck_assert_uint_eq(line->has, cases[i].has);
        trace_close(trace);
        assert_comes_back(text);
    }
}
END_TEST

START_TEST(a_foreign_effect_has_the_fields_that_were_said)
{
    struct trace *trace =
        open_text(ORIGIN "{\"seq\":1,\"kind\":\"host_npt\",\"fx\":[{\"t\":\"tlbi\"},"
                         "{\"t\":\"lock\",\"vmid\":1},{\"t\":\"pt_store\",\"pa\":\"0x5\"}]}\n");
    const struct trace_line *line = trace_next(trace);
    ck_assert_uint_eq(line->nfx, 3);
    ck_assert_uint_eq(line->fx[0].present, 0);
    ck_assert_uint_eq(line->fx[1].present, 1u << TRACE_AT_lock_vmid);
    ck_assert_uint_eq(line->fx[2].present, 1u << TRACE_AT_pt_store_pa);
    ck_assert_uint_eq(line->fx[2].pt_store.pa, 5);
    trace_close(trace);
}
END_TEST

START_TEST(foreign_records_are_written_as_they_were)
{
    assert_comes_back(
        ORIGIN
        "{\"seq\":1,\"kind\":\"unknown\",\"vector\":\"guest_sync\",\"time\":12,\"task\":34}\n"
        "{\"seq\":2,\"cpu\":1,\"kind\":\"host_hvc\",\"in\":{\"esr\":\"0x1\",\"vmid\":2,"
        "\"x\":{\"0\":\"0x2\",\"30\":\"0x3\"}},\"to\":\"guest\"}\n"
        "{\"seq\":3,\"kind\":\"host_npt\",\"ec\":\"DABT_LOW\",\"fx\":[{\"t\":\"tlbi\"},"
        "{\"t\":\"lock\",\"vmid\":1},{\"t\":\"fn\",\"args\":[\"0x1\",\"0x2\"]}]}\n"
        "{\"seq\":4,\"cpu\":0,\"kind\":\"guest_exit\",\"exit_code\":2,\"ec\":\"HVC64\",\"g0\":5,"
        "\"fx\":[{\"t\":\"tlbi\",\"g\":6,\"ipa\":\"0x1000\"}],\"g1\":7,\"out\":{}}\n"
        "{\"seq\":5,\"kind\":\"el2_exception\",\"unfinished\":true}\n");
    assert_comes_back("{\"seq\":0,\"kind\":\"origin\",\"format\":\"ftrace\"}\n"
                      "{\"seq\":1,\"kind\":\"guest_exit\",\"ec\":\"a \\\"text\\\" \\u0001\"}\n");
}
END_TEST

START_TEST(an_ordinary_record_may_have_a_vector_a_time_and_a_task)
{
    static const char text[] =
        "{\"seq\":1,\"cpu\":0,\"kind\":\"host_npt\",\"vector\":\"guest_sync\",\"time\":9,"
        "\"task\":8,\"g0\":1,\"in\":{},\"fx\":[],\"g1\":2,\"to\":\"host\",\"out\":{}}\n";
    struct trace *trace = open_text(text);
    const struct trace_line *line = trace_next(trace);
    ck_assert_ptr_nonnull(line);
    ck_assert_uint_eq(line->has, TRACE_HAS_CPU | TRACE_HAS_EVENTS | TRACE_HAS_IN | TRACE_HAS_FX |
                                     TRACE_HAS_TO | TRACE_HAS_OUT | TRACE_HAS_TIME |
                                     TRACE_HAS_TASK);
    ck_assert_str_eq(line->vector, "guest_sync");
    ck_assert_uint_eq(line->time, 9);
    ck_assert_uint_eq(line->task, 8);
    ck_assert_ptr_null(trace_origin(trace));
    trace_close(trace);
    assert_comes_back(text);
}
END_TEST

START_TEST(what_only_foreign_traces_leave_open_is_refused_elsewhere)
{
    assert_is_refused("{\"seq\":1,\"kind\":\"host_npt\"}\n");
    assert_is_refused("{\"seq\":1,\"cpu\":0,\"kind\":\"unknown\",\"g0\":1,\"in\":{},\"fx\":[],"
                      "\"g1\":2,\"to\":\"host\",\"out\":{}}\n");
    assert_is_refused("{\"seq\":1,\"cpu\":0,\"kind\":\"host_npt\",\"g0\":1,\"in\":{},"
                      "\"fx\":[{\"t\":\"tlbi\",\"g\":2}],\"g1\":3,\"to\":\"host\",\"out\":{}}\n");
}
END_TEST

START_TEST(a_foreign_trace_is_refused_where_it_contradicts_itself)
{
    assert_is_refused(ORIGIN ORIGIN);
    assert_is_refused(ORIGIN "{\"seq\":1,\"kind\":\"unknown\"}\n" ORIGIN);
    assert_is_refused("{\"seq\":0,\"kind\":\"origin\"}\n");
    assert_is_refused(ORIGIN "{\"kind\":\"unknown\"}\n");
    assert_is_refused(ORIGIN "{\"seq\":1}\n");
    assert_is_refused(ORIGIN "{\"seq\":1,\"kind\":\"host_npt\",\"g0\":1}\n");
    assert_is_refused(ORIGIN
                      "{\"seq\":1,\"kind\":\"host_npt\",\"fx\":[{\"t\":\"tlbi\",\"g\":2}]}\n");
    assert_is_refused(ORIGIN "{\"seq\":1,\"kind\":\"host_npt\",\"g0\":1,\"fx\":[{\"t\":\"tlbi\"}],"
                             "\"g1\":2}\n");
}
END_TEST

START_TEST(the_text_of_a_record_is_its_json_in_both_encodings)
{
    static const char first[] = "{\"seq\":1,\"cpu\":0,\"kind\":\"host_npt\",\"g0\":1,\"in\":{"
                                "\"esr\":\"0x5\"},\"fx\":[],\"g1\":2,\"to\":\"host\",\"out\":{}";
    char text[512];
    size_t length;
    snprintf(text, sizeof text, "%s}\n", first);
    struct trace *traces[] = {open_text(text), pass_through_cbor(text)};
    for (size_t i = 0; i < 2; i++) {
        const struct trace_line *line = trace_next(traces[i]);
        ck_assert_ptr_nonnull(line);
        const char *found = trace_text(traces[i], &length);
        ck_assert_uint_eq(length, strlen(text) - 1);
        ck_assert(memcmp(found, text, length) == 0);
        ck_assert_uint_eq(line->in.values[TRACE_REG_esr], 5);
        trace_close(traces[i]);
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, an_origin_is_known_with_the_first_record_and_is_none);
    tcase_add_test(tests, a_foreign_record_has_what_was_said);
    tcase_add_test(tests, a_foreign_effect_has_the_fields_that_were_said);
    tcase_add_test(tests, foreign_records_are_written_as_they_were);
    tcase_add_test(tests, an_ordinary_record_may_have_a_vector_a_time_and_a_task);
    tcase_add_test(tests, the_text_of_a_record_is_its_json_in_both_encodings);
    tcase_add_test(tests, what_only_foreign_traces_leave_open_is_refused_elsewhere);
    tcase_add_test(tests, a_foreign_trace_is_refused_where_it_contradicts_itself);
}

int main(void)
{
    return run_tests("trace", add);
}
