/*
 * A host program of libproffer: imports a file into a workspace, looks for products, and
 * prints why a shopper got what was decided.
 *
 *     make install PREFIX=$HOME/.local
 *     export PKG_CONFIG_PATH=$HOME/.local/lib/pkgconfig LD_LIBRARY_PATH=$HOME/.local/lib
 *     cc explain_shopper.c $(pkg-config --cflags --libs proffer) -o explain_shopper
 *     ./explain_shopper my-shop "oat milk" 1042
 */
#include <stdio.h>

#include <proffer/proffer.h>

static int failed(const char *what, const proffer_error *err)
{
    fprintf(stderr, "cannot %s: %s\n", what, err->message);
    return 1;
}

int main(int argc, char **argv)
{
    proffer *shop = NULL;
    proffer_error err = {.code = PROFFER_OK};
    char *json = NULL;
    int code = 0;
    if (argc != 4) {
        fprintf(stderr, "usage: %s WORKSPACE QUERY SHOPPER\n", argv[0]);
        return 2;
    }
    if (proffer_open(&shop, argv[1], &err) != PROFFER_OK)
        return failed("open the workspace", &err);

    if (proffer_search(shop, argv[2], 3, &json, &err) == PROFFER_OK)
        printf("%s\n", json);
    else
        code = failed("search", &err);
    proffer_free(json);
    json = NULL;

    if (proffer_explain(shop, argv[3], NULL, &json, &err) == PROFFER_OK)
        printf("%s\n", json);
    else
        code = failed("explain", &err);
    proffer_free(json);

    proffer_close(shop);
    return code;
}
