/*
 * subtitle_tracks.h: which streams of a file are subtitles that can be read as text.
 */
#ifndef DROPSTREAM_SUBTITLE_TRACKS_H
#define DROPSTREAM_SUBTITLE_TRACKS_H

#include "media_info.h"
#include "sniff.h"
#include "store.h"

/* The first STORE_SUBTITLES_MAX of them; pure. Pictures of text (PGS, VobSub) are none.
 */
void subtitle_tracks(const struct media_info *info, enum container container,
                     struct subtitles *out);

#endif
