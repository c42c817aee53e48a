/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zstd.h>

#include "base/diag.h"
#include "base/live.h"

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { READ_SIZE = 1 << 11, FIRST_BUFFER = 1 << 12 }; /* small files, thousands a second */
#else
enum { READ_SIZE = 1 << 17, FIRST_BUFFER = 1 << 18 };
#endif
static const size_t longest_window = (size_t)1 << 28;

/* `text[start..end)` is the window; `raw` holds compressed bytes that are not expanded yet. */
struct bytes {
    const char *name;
    int file; /* -1: none */
    bool is_regular;
    ZSTD_DStream *zstd; /* NULL: plain */
    char *raw;
    ZSTD_inBuffer input;
    bool inside_frame;
    char *text;
    size_t start;
    size_t end;
    size_t size;
    uint64_t offset; /* of text[start] */
    bool at_end;
    char error[160];
    uint64_t read_bytes;
    uint64_t file_bytes;
};

static void fail(struct bytes *bytes, const char *what, const char *why)
{
    snprintf(bytes->error, sizeof bytes->error, why ? "%s: %s" : "%s", what, why);
    bytes->at_end = true;
}

/* Does more come, though there was nothing or a signal? */
static bool may_come(const struct bytes *bytes, ssize_t n)
{
    if (live_is_over())
        return false;
    if (n < 0)
        return errno == EINTR && !live_interrupted();
    if (n > 0 || !live_is_on() || !bytes->is_regular)
        return false;
    live_wait();
    return true;
}

/* What is there already, so that nobody waits for more than is asked for. */
static size_t read_some(struct bytes *bytes, char *to)
{
    ssize_t n;
    do
        n = live_is_over() ? 0 : read(bytes->file, to, READ_SIZE);
    while (n <= 0 && may_come(bytes, n));
    if (n < 0 && !(errno == EINTR && live_is_over()))
        fail(bytes, "cannot read", strerror(errno));
    if (n <= 0)
        return 0;
    bytes->read_bytes += (uint64_t)n;
    return (size_t)n;
}

static size_t read_raw(struct bytes *bytes)
{
    const size_t n = read_some(bytes, bytes->raw);
    bytes->input = (ZSTD_inBuffer){bytes->raw, n, 0};
    return n;
}

/* A frame of data, or one to be skipped, with which some compressors (pzstd) begin. */
static bool looks_compressed(const struct bytes *bytes)
{
    enum { FRAME = 0xfd2fb528, SKIPPABLE = 0x184d2a50, ANY_OF_SIXTEEN = 0xf };
    const unsigned char *raw = (const unsigned char *)bytes->raw;
    if (bytes->input.size < sizeof(uint32_t))
        return false;
    const uint32_t magic =
        (uint32_t)raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16 | (uint32_t)raw[3] << 24;
    return magic == (uint32_t)FRAME || (magic & ~(uint32_t)ANY_OF_SIXTEEN) == (uint32_t)SKIPPABLE;
}

/* As many bytes as tell whether it is compressed, though a pipe may give them one by one. */
static void read_beginning(struct bytes *bytes)
{
    size_t n;
    read_raw(bytes);
    while (bytes->input.size > 0 && bytes->input.size < sizeof(uint32_t) && !bytes->error[0]) {
        char more[READ_SIZE];
        n = read_some(bytes, more);
        if (n == 0)
            return;
        n = n < READ_SIZE - bytes->input.size ? n : READ_SIZE - bytes->input.size;
        memcpy(bytes->raw + bytes->input.size, more, n);
        bytes->input.size += n;
    }
}

static void begin_reading(struct bytes *bytes)
{
    bytes->raw = malloc(READ_SIZE);
    bytes->text = calloc(FIRST_BUFFER, 1);
    if (!bytes->raw || !bytes->text) {
        fail(bytes, "out of memory", NULL);
        return;
    }
    bytes->size = FIRST_BUFFER;
    read_beginning(bytes);
    if (bytes->error[0] || !looks_compressed(bytes))
        return;
    bytes->zstd = ZSTD_createDStream();
    if (!bytes->zstd)
        fail(bytes, "out of memory", NULL);
}

/* Some editors begin a text with a mark of its encoding, which is no part of it. */
static void skip_mark(struct bytes *bytes)
{
    size_t have;
    const char *text = bytes_window(bytes, 4, &have);
    if (have >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        bytes_take(bytes, 3);
    else if (have >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        fail(bytes, "UTF-16 or UTF-32 text; only UTF-8 is read", NULL);
}

/* The other end of a socket that stands in the file system. -1: errno says why. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0 || connect(file, (const struct sockaddr *)&address, sizeof address) == 0)
        return file;
    const int why = errno;
    close(file);
    errno = why;
    return -1;
}

static int open_or_connect(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        return connect_to(path);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* A file that can be read from; otherwise its error is set. */
static void open_file(struct bytes *bytes, const char *path)
{
    const bool is_standard_input = strcmp(path, "-") == 0;
    struct stat status;
    bytes->name = is_standard_input ? "<stdin>" : path;
    bytes->file = is_standard_input ? STDIN_FILENO : open_or_connect(path);
    if (bytes->file < 0) {
        fail(bytes, "cannot open", strerror(errno));
    } else if (fstat(bytes->file, &status) == 0) {
        bytes->is_regular = S_ISREG(status.st_mode);
        if (S_ISDIR(status.st_mode))
            fail(bytes, "is a directory", NULL);
        else if (bytes->is_regular && status.st_size > 0)
            bytes->file_bytes = (uint64_t)status.st_size;
    }
    if (!bytes->error[0])
        begin_reading(bytes);
    if (!bytes->error[0])
        skip_mark(bytes);
}

/* Standard input, looked at and not read yet. */
static struct bytes *parked;

void bytes_park(struct bytes *bytes)
{
    parked = bytes;
}

struct bytes *bytes_try(const char *path, char *why, size_t size)
{
    if (parked && strcmp(path, "-") == 0) {
        struct bytes *const found = parked;
        parked = NULL;
        return found;
    }
    struct bytes *bytes = calloc(1, sizeof *bytes);
    if (!bytes)
        no_memory();
    bytes->file = -1;
    open_file(bytes, path);
    if (!bytes->error[0])
        return bytes;
    snprintf(why, size, "%s", bytes->error);
    bytes_close(bytes);
    return NULL;
}

struct bytes *bytes_open(const char *path, bool quiet)
{
    char why[160];
    const bool is_stream = strcmp(path, "-") == 0;
    struct bytes *bytes = bytes_try(path, why, sizeof why);
    if (!bytes && !quiet)
        diag(&(const struct place){is_stream ? "<stdin>" : path, 0, 0}, NULL, "%s", why);
    return bytes;
}

void bytes_close(struct bytes *bytes)
{
    if (!bytes)
        return;
    if (bytes->file >= 0 && bytes->file != STDIN_FILENO)
        close(bytes->file);
    ZSTD_freeDStream(bytes->zstd);
    free(bytes->raw);
    free(bytes->text);
    free(bytes);
}

const char *bytes_name(const struct bytes *bytes)
{
    return bytes->name;
}

/* Room for READ_SIZE more bytes and the padding: by moving to the front, then by growing. */
static bool make_room(struct bytes *bytes)
{
    if (bytes->start > 0) {
        memmove(bytes->text, bytes->text + bytes->start, bytes->end - bytes->start);
        bytes->end -= bytes->start;
        bytes->start = 0;
    }
    const size_t need = bytes->end + READ_SIZE + BYTES_PADDING;
    if (need <= bytes->size)
        return true;
    if (bytes->end > longest_window) {
        fail(bytes, "a record of more than 256 MiB", NULL);
        return false;
    }
    const size_t size = bytes->size * 2 > need ? bytes->size * 2 : need;
    char *text = realloc(bytes->text, size);
    if (!text) {
        fail(bytes, "out of memory", NULL);
        return false;
    }
    bytes->text = text;
    bytes->size = size;
    return true;
}

static void expand(struct bytes *bytes)
{
    ZSTD_outBuffer output = {bytes->text + bytes->end, READ_SIZE, 0};
    const size_t result = ZSTD_decompressStream(bytes->zstd, &output, &bytes->input);
    if (ZSTD_isError(result)) {
        fail(bytes, "corrupt zstd data", ZSTD_getErrorName(result));
        return;
    }
    bytes->inside_frame = result != 0;
    bytes->end += output.pos;
}

/* The compressed file has no more bytes; its decoder may. */
static void finish(struct bytes *bytes)
{
    const size_t before = bytes->end;
    if (bytes->inside_frame)
        expand(bytes);
    if (bytes->end > before || bytes->error[0])
        return;
    if (bytes->inside_frame && !live_is_over())
        fail(bytes, "truncated zstd data", NULL);
    bytes->at_end = true;
}

/* What was read to see whether the file is compressed, then the file itself. */
static void fill_plain(struct bytes *bytes)
{
    size_t n = bytes->input.size - bytes->input.pos;
    if (n > 0) {
        memcpy(bytes->text + bytes->end, bytes->raw + bytes->input.pos, n);
        bytes->input.pos = bytes->input.size;
    } else {
        n = read_some(bytes, bytes->text + bytes->end);
        bytes->at_end = n == 0;
    }
    bytes->end += n;
}

static void fill(struct bytes *bytes)
{
    if (!make_room(bytes))
        return;
    if (!bytes->zstd)
        fill_plain(bytes);
    else if (bytes->input.pos < bytes->input.size || read_raw(bytes) > 0)
        expand(bytes);
    else if (!bytes->error[0])
        finish(bytes);
}

const char *bytes_window(struct bytes *bytes, size_t want, size_t *have)
{
    while (bytes->end - bytes->start < want && !bytes->at_end)
        fill(bytes);
    *have = bytes->end - bytes->start;
    return bytes->text + bytes->start;
}

void bytes_take(struct bytes *bytes, size_t count)
{
    bytes->start += count;
    bytes->offset += count;
}

uint64_t bytes_offset(const struct bytes *bytes)
{
    return bytes->offset;
}

const char *bytes_error(const struct bytes *bytes)
{
    return bytes->error[0] ? bytes->error : NULL;
}

double bytes_progress(const struct bytes *bytes)
{
    if (bytes->file_bytes == 0)
        return 0;
    uint64_t waiting = bytes->input.size - bytes->input.pos;
    if (!bytes->zstd)
        waiting += bytes->end - bytes->start;
    const uint64_t done = bytes->read_bytes > waiting ? bytes->read_bytes - waiting : 0;
    return (double)done / (double)bytes->file_bytes;
}
