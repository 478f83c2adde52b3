/* json_check.c: reads standard input; exit 0 when it is one JSON value and nothing else, with every
 * key that is named as an argument ("a" in an object or in each element of an array). */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

static int has(const cJSON *value, const char *key)
{
    if (!cJSON_IsArray(value)) return cJSON_HasObjectItem(value, key);
    const cJSON *element;
    cJSON_ArrayForEach(element, value)
    {
        if (!cJSON_HasObjectItem(element, key)) return 0;
    }
    return cJSON_GetArraySize(value) > 0;
}

int main(int argc, char **argv)
{
    size_t size = 0, room = 1u << 24;
    char *text = calloc(1, room);
    if (!text) return 2;
    size = fread(text, 1, room - 1, stdin);
    cJSON *value = cJSON_ParseWithLengthOpts(text, size + 1, NULL, 1);
    int bad = !value;
    if (bad) fprintf(stderr, "json_check: not JSON: %.200s\n", text);
    for (int i = 1; value && i < argc; i++)
        if (!has(value, argv[i])) bad = 1, fprintf(stderr, "json_check: no key '%s'\n", argv[i]);
    cJSON_Delete(value);
    free(text);
    return bad;
}
