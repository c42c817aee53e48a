/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <trace-cmd.h>

#include "base/bytes.h"
#include "base/diag.h"
#include "convert/import.h"
#include "convert/kvm_records.h"

/*
 * The file of `trace-cmd record`, through libtracecmd: values of fields, and no text. The library
 * trusts its input, so it runs in a process of its own, which sends the events through a pipe; a
 * file that makes it crash is bad input.
 */

static const char magic[] = "\x17\x08"
                            "Dtracing";

/* An event on its way through the pipe; events are numbered as they come. */
struct sent {
    enum { SENT_EVENT, SENT_OTHER, SENT_LOST, SENT_END } is;
    unsigned form;
    uint64_t pid, cpu, time, count;
    bool is_interrupt;
    unsigned present;
    uint64_t values[KVM_FIELDS_MAX];
};

/* --- The process that reads ------------------------------------------------------------------ */

/* What an event's fields are in this file, looked up once. */
struct reader {
    FILE *out;
    struct tep_handle *tep;
    unsigned nforms;
    struct tep_event **events;                          /* of each form, or NULL */
    struct tep_format_field *(*fields)[KVM_FIELDS_MAX]; /* of each form */
};

static void find_fields(struct reader *reader, unsigned form, const struct kvm_form *forms)
{
    const char *keys = forms[form].keys;
    struct word key;
    unsigned field = 0;
    bool is_optional = false;
    while (kvm_form_next_key(&keys, &key, &field, &is_optional)) {
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)key.length, key.text);
        if (!reader->fields[form][field])
            reader->fields[form][field] = tep_find_field(reader->events[form], name);
    }
}

/* Each event's first form is that with keys. */
static void find_events(struct reader *reader)
{
    const struct kvm_form *forms = kvm_forms(&reader->nforms);
    reader->events = calloc(reader->nforms, sizeof *reader->events);
    reader->fields = calloc(reader->nforms, sizeof *reader->fields);
    if (!reader->events || !reader->fields)
        _exit(EXIT_BAD_INPUT);
    for (unsigned i = 0; i < reader->nforms; i++) {
        if (i > 0 && strcmp(forms[i].name, forms[i - 1].name) == 0)
            continue;
        reader->events[i] = tep_find_event_by_name(reader->tep, "kvm", forms[i].name);
        if (reader->events[i])
            find_fields(reader, i, forms);
    }
}

static void send(struct reader *reader, const struct sent *sent)
{
    if (fwrite(sent, sizeof *sent, 1, reader->out) != 1)
        _exit(EXIT_BAD_INPUT);
}

static void send_fields(struct reader *reader, unsigned form, struct tep_record *record,
                        struct sent *sent)
{
    sent->is = SENT_EVENT;
    sent->form = form;
    for (unsigned i = 0; i < KVM_FIELDS_MAX; i++) {
        unsigned long long value;
        struct tep_format_field *field = reader->fields[form][i];
        if (!field || tep_read_number_field(field, record->data, &value) != 0)
            continue;
        sent->values[i] = value;
        sent->present |= 1u << i;
    }
}

static int take_record(struct tracecmd_input *handle, struct tep_record *record, int cpu,
                       void *context)
{
    enum { FLAG_HARD_INTERRUPT = 8, FLAG_SOFT_INTERRUPT = 16 };
    struct reader *reader = context;
    const int type = tep_data_type(reader->tep, record);
    const int flags = tep_data_flags(reader->tep, record);
    struct sent sent = {.is = SENT_OTHER,
                        .pid = (uint64_t)(int64_t)tep_data_pid(reader->tep, record),
                        .cpu = (uint64_t)(int64_t)cpu,
                        .time = record->ts,
                        .is_interrupt = flags & (FLAG_HARD_INTERRUPT | FLAG_SOFT_INTERRUPT)};
    (void)handle;
    if (record->missed_events) {
        struct sent lost = sent;
        lost.is = SENT_LOST;
        lost.count = record->missed_events > 0 ? (uint64_t)record->missed_events : 0;
        send(reader, &lost);
    }
    for (unsigned i = 0; i < reader->nforms; i++) {
        if (reader->events[i] && reader->events[i]->id == type)
            send_fields(reader, i, record, &sent);
    }
    send(reader, &sent);
    return 0;
}

static bool is_whole(const struct kvm_form *form, unsigned present)
{
    const char *keys = form->keys;
    struct word key;
    unsigned field = 0;
    bool is_optional = false, good = true;
    while (kvm_form_next_key(&keys, &key, &field, &is_optional))
        good = good && (is_optional || word_is(key, "-") || present >> field & 1);
    return good;
}

static _Noreturn void read_file(int file, int out)
{
    enum { INSTANCES_MAX = 64 };
    struct tracecmd_input *handles[INSTANCES_MAX];
    struct reader reader = {.out = fdopen(out, "w")};
    const int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, STDERR_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || !reader.out)
        _exit(EXIT_BAD_INPUT);
    tracecmd_set_loglevel(TEP_LOG_NONE);
    tep_set_loglevel(TEP_LOG_NONE);
    handles[0] = tracecmd_open_fd(file, TRACECMD_FL_LOAD_NO_PLUGINS);
    if (!handles[0])
        _exit(EXIT_BAD_INPUT);
    int count = 1;
    const int instances = tracecmd_buffer_instances(handles[0]);
    for (int i = 0; i < instances && count < INSTANCES_MAX; i++) {
        handles[count] = tracecmd_buffer_instance_handle(handles[0], i);
        count += handles[count] != NULL;
    }
    reader.tep = tracecmd_get_tep(handles[0]);
    find_events(&reader);
    const int status = tracecmd_iterate_events_multi(handles, count, take_record, &reader);
    send(&reader, &(struct sent){.is = SENT_END});
    _exit(status == 0 && fflush(reader.out) == 0 ? EXIT_EXPECTED : EXIT_BAD_INPUT);
}

/* --- The one that imports -------------------------------------------------------------------- */

/* The bytes of the recording, whatever it is compressed by; -1, with a message. */
static int expand(struct import *import)
{
    enum { AT_ONCE = 1 << 16 };
    struct bytes *bytes = bytes_open(import->path, false);
    const int file = memfd_create("trace.dat", MFD_CLOEXEC);
    bool good = bytes && file >= 0;
    size_t have = 1;
    while (good && have > 0) {
        const char *text = bytes_window(bytes, AT_ONCE, &have);
        good = have == 0 || write(file, text, have) == (ssize_t)have;
        bytes_take(bytes, have);
        if (import->progress)
            import->progress(import->context, bytes_progress(bytes));
    }
    const char *error = bytes ? bytes_error(bytes) : NULL;
    if (bytes && (!good || error))
        diag_plain("%s: %s", import->path, error ? error : strerror(errno));
    bytes_close(bytes);
    if (good && !error && lseek(file, 0, SEEK_SET) == 0)
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

static void take_sent(struct import *import, struct kvm_records *records, const struct sent *sent)
{
    unsigned count;
    struct kvm_event event = {.moment = {.machine = {"", 0},
                                         .pid = sent->pid,
                                         .cpu = sent->cpu,
                                         .time = sent->time,
                                         .has_pid = true,
                                         .has_cpu = true,
                                         .has_time = true,
                                         .is_interrupt = sent->is_interrupt},
                              .present = sent->present};
    import->line++;
    if (sent->is == SENT_LOST) {
        kvm_records_gap(records, "events were lost", &sent->cpu, sent->count);
        import->line--;
        return;
    }
    if (sent->is == SENT_OTHER) {
        import_pass_over(import, "events that are in no record");
        return;
    }
    event.form = &kvm_forms(&count)[sent->form];
    if (!is_whole(event.form, sent->present)) {
        import_pass_over(import, "events of KVM that lack fields");
        return;
    }
    for (unsigned i = 0; i < KVM_FIELDS_MAX; i++)
        event.fields[i].value = sent->values[i];
    kvm_records_take(records, &event);
}

/* All that the other process sends. False if it did not come to the end. */
static bool take_all(struct import *import, FILE *in)
{
    struct kvm_records *records = kvm_records_new(import);
    struct sent sent = {.is = SENT_OTHER};
    while (fread(&sent, sizeof sent, 1, in) == 1 && sent.is != SENT_END)
        take_sent(import, records, &sent);
    kvm_records_end(records);
    return sent.is == SENT_END;
}

bool trace_dat_run(struct import *import)
{
    int ends[2];
    const int file = expand(import);
    if (file < 0)
        return false;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        diag_plain("%s", strerror(errno));
        close(file);
        return false;
    }
    const pid_t reader = fork();
    if (reader == 0)
        read_file(file, ends[1]);
    close(ends[1]);
    close(file);
    FILE *in = fdopen(ends[0], "r");
    const bool is_whole_file = reader > 0 && in && take_all(import, in);
    if (in)
        fclose(in);
    int status = -1;
    if (reader > 0)
        waitpid(reader, &status, 0);
    if (is_whole_file && status == 0)
        return true;
    diag_plain("%s: no whole trace.dat: libtracecmd could not read it to its end", import->path);
    return false;
}

unsigned trace_dat_recognises(const char *text, size_t length)
{
    return length >= sizeof magic - 1 && memcmp(text, magic, sizeof magic - 1) == 0 ? 1000 : 0;
}
