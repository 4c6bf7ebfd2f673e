// What an application of another libc sees: `ask NAME...` prints what getaddrinfo says to each.
//
// Built with musl: it asks every server at once, takes the first answer, and gives a name up when
// either family is NXDOMAIN.
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

static const char *code_name(int code) {
    switch (code) {
        case EAI_NONAME:
            return "NONAME";
        case EAI_AGAIN:
            return "AGAIN";
        case EAI_FAIL:
            return "FAIL";
        default:
            return gai_strerror(code);
    }
}

static void ask(const char *name) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *first = 0;
    int code = getaddrinfo(name, 0, &hints, &first);
    if (code) {
        printf("%s %s\n", name, code_name(code));
        return;
    }
    for (struct addrinfo *at = first; at; at = at->ai_next) {
        char text[256];
        getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, 0, 0, NI_NUMERICHOST);
        printf("%s %s\n", name, text);
    }
    freeaddrinfo(first);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; ++i)
        ask(argv[i]);
    return 0;
}
