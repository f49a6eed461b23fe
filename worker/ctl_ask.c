/*
 * A password is read without echo, and the terminal is as it was before whatever ends
 * that: a line, the end of input, or a signal.
 */
#include "ctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios before; /* of the terminal, for the handler */

static void on_signal(int number)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    /* SA_RESETHAND: now it does what it always does. */
    raise(number);
}

static void catch_signals(bool on)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    struct sigaction action = {.sa_handler = on ? on_signal : SIG_DFL,
                               .sa_flags = on ? (int)SA_RESETHAND : 0};
    size_t i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
}

/* One line without its end, byte by byte, so that nothing after it is taken. 0, or 1
 * after ctl_fail. */
static int read_line(char *out, size_t size)
{
    size_t n = 0;
    ssize_t got;
    char c = 0;

    while ((got = read(STDIN_FILENO, &c, 1)) == 1 || (got < 0 && errno == EINTR)) {
        if (got < 0)
            continue;
        if (c == '\n')
            break;
        if (n < size)
            out[n] = c;
        n++;
    }
    if (got < 0)
        return ctl_fail("cannot read the password: %s", strerror(errno));
    if (got == 0 && n == 0)
        return ctl_fail("no password: standard input has ended");
    if (n >= size)
        return ctl_fail("a password has at most %zu bytes", size - 1);
    out[n] = '\0';
    if (strlen(out) != n)
        return ctl_fail("a password holds no NUL");
    return 0;
}

static int prompt(const char *what, const char *name, char *out, size_t size)
{
    int status;

    fprintf(stderr, "%s%s: ", what, name);
    status = read_line(out, size);
    fputc('\n', stderr);
    return status;
}

static int ask_twice(const char *name, char out[PASSWORD_MAX + 1])
{
    char again[PASSWORD_MAX + 1];
    struct termios silent;
    int status;

    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return ctl_fail("cannot ask on this terminal: %s", strerror(errno));
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    catch_signals(true);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    status = prompt("New password for ", name, out, PASSWORD_MAX + 1);
    if (status == 0)
        status = prompt("The same again", "", again, sizeof(again));
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    catch_signals(false);
    if (status == 0 && strcmp(out, again) != 0)
        status = ctl_fail("the two are not the same");
    explicit_bzero(again, sizeof(again));
    return status;
}

int ctl_ask_password(const char *name, char out[PASSWORD_MAX + 1])
{
    int status =
        isatty(STDIN_FILENO) ? ask_twice(name, out) : read_line(out, PASSWORD_MAX + 1);

    if (status == 0 && !password_acceptable(out))
        status = ctl_fail("a password has %d to %d bytes, of UTF-8 without control "
                          "characters",
                          PASSWORD_MIN, PASSWORD_MAX);
    return status;
}
