/* doc_write.c: a document as canonical YAML 1.1: block style, two spaces, a scalar between double
 * quotes only where it would otherwise be read as something else. Equal documents give equal
 * bytes; what is read back is the same tree. Leaves out comments, flow style, folding. */
#include "base/doc.h"

#include <string.h>
#include <strings.h>

/* Line breaks and the byte-order mark of YAML beyond ASCII (UTF-8), with their escapes. */
static const struct {
    const char *bytes, *escape;
} wide[] = {{"\xC2\x85", "\\N"},
            {"\xE2\x80\xA8", "\\L"},
            {"\xE2\x80\xA9", "\\P"},
            {"\xEF\xBB\xBF", "\\uFEFF"}};
enum { WIDE = sizeof wide / sizeof wide[0] };

/* Plain, these would be null, a truth value or a number to other readers of YAML. */
static bool means_something(const char *text)
{
    static const char *const words[] = {"~",  "null", "true", "false", "yes", "no",
                                        "on", "off",  "y",    "n",     NULL};
    double value;
    for (int i = 0; words[i]; i++)
        if (strcasecmp(text, words[i]) == 0) return true;
    return rheo__number(text, &value) || strncasecmp(text, "0x", 2) == 0 ||
           strncasecmp(text, "0o", 2) == 0;
}

static bool misread_when_plain(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || text[0] == ' ' || text[size - 1] == ' ') return true;
    if (strchr("?:,[]{}#&*!|>'\"%@`", text[0])) return true;
    if (text[0] == '-' && (size == 1 || text[1] == ' ')) return true;
    if (strncmp(text, "---", 3) == 0 || strncmp(text, "...", 3) == 0) return true;
    if (strstr(text, ": ") || strstr(text, " #") || text[size - 1] == ':') return true;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) return true;
    for (int i = 0; i < WIDE; i++)
        if (strstr(text, wide[i].bytes)) return true;
    return false;
}

/* Writes one character of text as it stands between quotes; returns its bytes. */
static size_t put_quoted(const char *text, rheo_text *out)
{
    for (int i = 0; i < WIDE; i++) {
        size_t size = strlen(wide[i].bytes);
        if (strncmp(text, wide[i].bytes, size) != 0) continue;
        rheo__text_add(out, "%s", wide[i].escape);
        return size;
    }
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
        rheo__text_add(out, "\\%c", c);
    else if (c == '\n')
        rheo__text_add(out, "\\n");
    else if (c == '\t')
        rheo__text_add(out, "\\t");
    else if (c < 0x20 || c == 0x7f)
        rheo__text_add(out, "\\x%02X", c);
    else
        rheo__text_put(out, text, 1);
    return 1;
}

static void put_scalar(const char *text, bool quoted, rheo_text *out)
{
    if (!misread_when_plain(text) && !(quoted && means_something(text))) {
        rheo__text_put(out, text, strlen(text));
        return;
    }
    rheo__text_put(out, "\"", 1);
    while (*text) text += put_quoted(text, out);
    rheo__text_put(out, "\"", 1);
}

static void put_indent(uint32_t depth, rheo_text *out)
{
    for (uint32_t i = 0; i < depth; i++) rheo__text_put(out, "  ", 2);
}

static void put_children(const rheo_doc *doc, uint32_t depth, bool indented, rheo_text *out);

/* What follows "key:" or "-"; `same_line`: a map may begin behind the dash of its list. */
static void put_value(const rheo_doc *doc, uint32_t depth, bool same_line, rheo_text *out)
{
    if (doc->kind == RHEO_SCALAR) {
        rheo__text_put(out, " ", 1);
        put_scalar(doc->text, doc->quoted, out);
        rheo__text_put(out, "\n", 1);
    } else if (!doc->child) {
        rheo__text_add(out, " %s\n", doc->kind == RHEO_MAP ? "{}" : "[]");
    } else {
        rheo__text_put(out, same_line ? " " : "\n", 1);
        put_children(doc, depth, same_line, out);
    }
}

/* `indented`: the first line's indent is already written. */
static void put_children(const rheo_doc *doc, uint32_t depth, bool indented, rheo_text *out)
{
    for (const rheo_doc *child = doc->child; child; child = child->next, indented = false) {
        if (!indented) put_indent(depth, out);
        if (doc->kind == RHEO_LIST) {
            rheo__text_put(out, "-", 1);
            put_value(child, depth + 1, true, out);
        } else {
            put_scalar(child->key, false, out);
            rheo__text_put(out, ":", 1);
            put_value(child, depth + 1, false, out);
        }
    }
}

void rheo__doc_write(const rheo_doc *doc, rheo_text *out)
{
    if (doc->kind == RHEO_SCALAR) {
        put_scalar(doc->text, doc->quoted, out);
        rheo__text_put(out, "\n", 1);
    } else if (!doc->child) {
        rheo__text_add(out, "%s\n", doc->kind == RHEO_MAP ? "{}" : "[]");
    } else {
        put_children(doc, 0, false, out);
    }
}
