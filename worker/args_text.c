#include "args_priv.h"

/* Text without a name in Matroska is most likely WebVTT as its own codec has it
 * (S_TEXT/WEBVTT), of which ffmpeg knows nothing; its text is read as that of SubRip.
 */
enum rc args_subtitles(const struct args_source *src, int stream, const char *codec,
                       struct args *out)
{
    args_begin(out, src->program);
    args_add_all(
        out, (const char *const[]){"-nostdin", "-hide_banner", "-v", "error", NULL});
    if (!*codec)
        args_add_all(out, (const char *const[]){"-c:s", "subrip", NULL});
    if (args_add_input_options(out, src) != RC_OK)
        return RC_INVALID;
    args_add_all(out, (const char *const[]){"-copyts", "-start_at_zero", NULL});
    args_add_input(out, src);
    args_add(out, "-map");
    args_add(out, "0:%d", stream);
    args_add_all(out, (const char *const[]){"-c:s", "webvtt", "-flush_packets", "1",
                                            "-f", "webvtt", "pipe:1", NULL});
    return args_end(out);
}

enum rc args_sync_subtitles(const char *folder, const char *const *names, size_t n,
                            struct args *out)
{
    args_begin(out, "sync");
    for (size_t i = 0; i < n; i++) {
        args_add(out, "%s/%s.m3u8", folder, names[i]);
        args_add(out, "%s/%s.vtt", folder, names[i]);
    }
    args_add(out, "%s", folder);
    return args_end(out) == RC_OK ? RC_OK : args_sync(folder, out);
}

enum rc args_checksum(const char *path, struct args *out)
{
    args_begin(out, "sha256sum");
    args_add_all(out, (const char *const[]){"-z", "--", NULL});
    args_add(out, "%s", path);
    if (args_end(out) != RC_OK)
        return RC_INVALID;
    out->reads[0] = out->v[out->n - 1];
    out->jailed = true;
    return RC_OK;
}
