# dropstream: one Makefile, not recursive. `make help` lists the targets.

ifeq ($(origin CC),default)
CC      := gcc
endif
BUILD   ?= build
SITE    ?= site
V       ?= 0
SANITIZE ?=

PKGS    := sqlite3 jansson inih nettle libcrypt zlib
CFLAGS  ?= -O2 -g
STD     := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
           -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla \
           -fstack-protector-strong -fno-common
INC     := -Ilib -Ilib/store $(shell pkg-config --cflags $(PKGS))
ALL_CFLAGS = $(STD) $(CFLAGS) $(SANITIZE) $(INC) -MMD -MP
ALL_LDFLAGS = $(LDFLAGS) $(SANITIZE)
LIBS    := $(shell pkg-config --libs $(PKGS)) -pthread -lm
WORKER_LIBS := $(shell pkg-config --libs libseccomp)
FCGI_LIBS := $(shell pkg-config --libs fcgi)

ifeq ($(V),0)
Q := @
say = @printf '  %-7s %s\n' $(1) $(2);
else
say =
endif

# ---- what is made of what --------------------------------------------------

LIB_SRC := lib/bandwidth.c lib/bmff.c lib/bounds.c lib/charset.c lib/clock.c \
           lib/config.c lib/config_value.c lib/ebml.c lib/grant.c lib/grid.c lib/id.c \
           lib/io.c lib/json_text.c lib/language.c lib/log.c lib/memtext.c lib/mime.c lib/mkv_values.c \
           lib/mkv_walk.c lib/mp4_entry.c lib/mp4_frag.c lib/mp4_head.c lib/mp4_index.c lib/mp4_moof.c \
           lib/mp4_packets.c lib/mp4_reach.c lib/mp4_samples.c lib/mp4_tables.c \
           lib/mp4_walk.c lib/multipart.c lib/origin.c lib/pass.c lib/password.c \
           lib/playlist.c lib/rc.c lib/secret.c lib/site.c lib/sniff.c \
           lib/sniff_refuse.c lib/spool.c lib/spool_dir.c lib/subtitle.c \
           lib/subtitle_text.c lib/text.c lib/store/accounts.c lib/store/activity.c \
           lib/store/arrivals.c lib/store/check.c lib/store/checksums.c \
           lib/store/copies.c lib/store/demand.c lib/store/disk.c lib/store/file.c \
           lib/store/grants.c lib/store/job_end.c lib/store/job_plan.c lib/store/lasting.c \
           lib/store/jobs.c lib/store/list.c lib/store/lists.c lib/store/mend.c \
           lib/store/pictures.c \
           lib/store/renditions.c lib/store/run.c lib/store/sessions.c \
           lib/store/shares.c lib/store/store.c lib/store/subtitles.c \
           lib/store/tokens.c lib/store/tries.c lib/store/upload_room.c lib/store/uploads.c lib/store/videos.c \
           lib/store/visibility.c lib/store/workers.c
WORKER_SRC := worker/args.c worker/args_copy.c worker/args_picture.c worker/args_text.c \
           worker/arrival.c worker/arrival_bounds.c worker/arrival_header.c \
           worker/arrival_tell.c worker/arrivals.c worker/check_mend.c worker/check_promise.c \
           worker/check_source.c worker/check_stray.c worker/check_video.c \
           worker/checksum_job.c worker/child.c worker/codec_string.c worker/colour.c worker/compressed_index.c \
           worker/copy_cuts.c worker/copy_job.c worker/courtesy.c worker/cutter.c \
           worker/disk.c \
           worker/encode_anew.c worker/encode_cut.c worker/encode_feed.c \
           worker/encode_job.c worker/encode_look.c worker/encode_open.c \
           worker/encode_run.c \
           worker/encode_scan.c worker/encode_schedule.c worker/encode_truth.c \
           worker/feeder.c \
           worker/filters.c worker/grants.c worker/jail.c worker/jail_filter.c \
           worker/jail_rules.c worker/jail_start.c worker/joblog.c worker/jobs.c \
           worker/key_units.c worker/ladder.c worker/live.c worker/loop.c \
           worker/media_info.c worker/mediadir.c worker/old_folders.c worker/own_time.c worker/owner.c \
           worker/packet_scan.c worker/param_sets.c worker/passes.c \
           worker/picture_choice.c worker/picture_pipe.c worker/picture_stream.c \
           worker/room.c \
           worker/plan.c worker/plan_extras.c worker/plan_kept.c worker/playlists.c \
           worker/playlists_folder.c worker/poster_job.c worker/probe_job.c \
           worker/probe_plan.c worker/schedule.c worker/schedule_background.c \
           worker/seek_points.c worker/segments.c worker/site_check.c \
           worker/sound_copy.c worker/source_bounds.c worker/source_bounds_mkv.c \
           worker/source_bounds_mp4.c worker/source_check.c \
           worker/source_index.c worker/staging.c \
           worker/storyboard.c worker/storyboard_job.c worker/subtitle_files.c \
           worker/subtitle_tracks.c worker/subtitles_job.c worker/supervise.c \
           worker/sweep.c worker/syncer.c worker/task.c worker/trouble.c worker/video_lists.c \
           worker/wake.c worker/without.c
CTL_SRC := worker/ctl.c worker/ctl_ask.c worker/ctl_check.c worker/ctl_status.c \
         worker/ctl_tokens.c worker/ctl_users.c
CGI_SRC := cgi-bin/fcgi.c cgi-bin/http.c cgi-bin/http_text.c cgi-bin/app.c \
           cgi-bin/handles.c cgi-bin/video_json.c cgi-bin/segments_json.c \
           cgi-bin/media_path.c cgi-bin/own_store.c cgi-bin/promise.c \
           cgi-bin/upload_form.c cgi-bin/upload_names.c cgi-bin/tus_headers.c \
           cgi-bin/checksum.c cgi-bin/upload_hash.c cgi-bin/turns.c cgi-bin/uploaders.c cgi-bin/viewer.c \
           cgi-bin/waits.c \
           cgi-bin/wants.c cgi-bin/hangups.c cgi-bin/watcher.c cgi-bin/cookie.c \
           cgi-bin/same_origin.c cgi-bin/address.c cgi-bin/access.c \
           cgi-bin/disposition.c cgi-bin/signed_until.c cgi-bin/lane.c \
           cgi-bin/identity.c cgi-bin/gate.c cgi-bin/video_view.c cgi-bin/share_proof.c \
           cgi-bin/send_path.c cgi-bin/pass_cookie.c cgi-bin/connections.c \
           cgi-bin/until_term.c
UPLOAD_SRC := cgi-bin/upload.c cgi-bin/upload_core.c cgi-bin/upload_find.c \
           cgi-bin/upload_receive.c cgi-bin/upload_post.c cgi-bin/tus.c \
           cgi-bin/upload_index.c cgi-bin/tus_chunk.c cgi-bin/tus_create.c
API_SRC := cgi-bin/api.c cgi-bin/api_call.c cgi-bin/api_body.c cgi-bin/api_tries.c \
           cgi-bin/api_videos.c cgi-bin/api_segments.c cgi-bin/api_subtitles.c \
           cgi-bin/api_poster.c cgi-bin/api_original.c cgi-bin/api_shares.c \
           cgi-bin/api_share.c cgi-bin/api_embed.c cgi-bin/api_session.c \
           cgi-bin/api_account.c cgi-bin/api_users.c cgi-bin/api_activity.c \
           cgi-bin/api_health.c
MEDIA_SRC := cgi-bin/media.c cgi-bin/media_answer.c cgi-bin/parking.c \
           cgi-bin/demand_writer.c cgi-bin/strict.c

# Those that mostly wait come first: others are compiled meanwhile.
UNIT := supervise supervise_floods feeder own_time encode_feed passes \
        access address app args args_copy args_picture args_quote args_run \
        arrival_header arrival_refused bandwidth bmff bounds charset check_promise child clock codec_string \
        colour config config_access connections cookie copy_cuts courtesy cutter disk disposition ebml \
        encode_beside encode_bytes encode_init encode_look encode_open \
        encode_refused encode_truth filters grant \
        grant_rows grants grid hangups http id jail joblog key_units ladder lane \
        language log loop media_info media_path mediadir mime mkv_real mkv_walk \
        mp4_frag mp4_head mp4_index mp4_reach mp4_real mp4_tables mp4_walk multipart \
        multipart_corpus nomem nomem_accounts nomem_api nomem_jobs nomem_json nomem_store nomem_videos old_folders origin own_store owner packet_scan \
        param_sets pass password picture_busy picture_choice picture_nomem picture_stream plan plan_open \
        plan_sounds plan_times playlist playlists poster probe_count probe_plan promise rc room same_origin schedule \
        schedule_arriving schedule_bounds schedule_last secret seek_points segments \
        segments_json signed_until sniff sound_copy source_bounds source_bounds_ways source_check spool \
        spool_resume staging store store_accounts store_activity store_actor store_arrivals \
        store_check store_checksums store_claims store_copies store_demand store_disk \
        store_ended store_grants store_job_end store_jobs store_list store_lists \
        store_many store_migrate store_open store_pictures store_queries \
        store_readiness store_seen store_sessions store_shares store_sound \
        store_subtitles store_tries store_uploads store_videos storyboard subtitle \
        subtitle_files subtitle_publish supervise_pipe sweep taken_over text \
        trouble turns tus_headers until_term upload_form upload_hash uploaders video_lists viewer \
        waits wants watcher

FUZZ := mp4_index mp4_tables cutter mkv_walk subtitle sniff multipart upload_headers \
        json_body config media_info source_bounds

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB_OBJ    := $(call obj,$(LIB_SRC)) $(BUILD)/lib/store/schema.o
WORKER_OBJ := $(call obj,$(WORKER_SRC))
CGI_OBJ    := $(call obj,$(CGI_SRC))
PROGRAMS   := $(BUILD)/cgi-bin/upload.fcgi $(BUILD)/cgi-bin/api.fcgi \
              $(BUILD)/cgi-bin/media.fcgi $(BUILD)/cgi-bin/address_limit.so \
              $(BUILD)/worker/dropstream-worker \
              $(BUILD)/worker/dropstreamctl
UNIT_BIN   := $(UNIT:%=$(BUILD)/tests/unit/test_%)

.PHONY: all ui check unit unit-short served http-tests browser-tests busy-tests other-tests ui-tests \
        ui-types ui-unit fuzz fuzzers lint asan asan-tests valgrind valgrind-is-there install \
        clean help screenshot style-hashes always $(FUZZ:%=fuzz-%) \
        bench bench-upload bench-encode bench-queue bench-seek bench-adaptive \
        bench-storyboard bench-auth bench-jail bench-multipart bench-memory faults storm
all: $(PROGRAMS) ## the C programs

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The schema travels inside the program, a string for each of its steps.
$(BUILD)/lib/store/schema.c: lib/store/schema.sql
	@mkdir -p $(@D)
	$(call say,SQL,$<)
	$(Q){ printf 'extern const char *const store_schema[];\nextern const int store_schema_version;\n'; \
	  printf 'const char *const store_schema[] = {\n'; \
	  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e '1,/^-- step 1$$/d' -e 's/^-- step [0-9]*$$/,/;t' \
	    -e 's/^/    "/' -e 's/$$/\\n"/' $<; \
	  printf '};\nconst int store_schema_version = sizeof(store_schema) / sizeof(store_schema[0]);\n'; } > $@
$(BUILD)/lib/store/schema.o: $(BUILD)/lib/store/schema.c
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/libdropstream.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/libworker.a: $(WORKER_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/libcgi.a: $(CGI_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

link = $(call say,LD,$@)
$(BUILD)/cgi-bin/upload.fcgi: $(call obj,$(UPLOAD_SRC)) $(BUILD)/libcgi.a $(BUILD)/libdropstream.a
	$(link)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(FCGI_LIBS) $(LIBS)
$(BUILD)/cgi-bin/api.fcgi: $(call obj,$(API_SRC)) $(BUILD)/libcgi.a $(BUILD)/libdropstream.a
	$(link)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(FCGI_LIBS) $(LIBS)
$(BUILD)/cgi-bin/media.fcgi: $(call obj,$(MEDIA_SRC)) $(BUILD)/libcgi.a $(BUILD)/libdropstream.a
	$(link)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(FCGI_LIBS) $(LIBS)
# Loaded into lighttpd, which is not built here: free of sanitizers.
LIMIT_SRC := cgi-bin/address_limit.c cgi-bin/connections.c
$(BUILD)/cgi-bin/address_limit.so: $(LIMIT_SRC) cgi-bin/connections.h
	@mkdir -p $(@D)
	$(link)
	$(Q)$(CC) $(STD) -O2 -shared -fPIC -fvisibility=default -o $@ $(LIMIT_SRC)
$(BUILD)/worker/dropstream-worker: $(BUILD)/worker/main.o $(BUILD)/libworker.a $(BUILD)/libdropstream.a
	$(link)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(WORKER_LIBS)

$(BUILD)/worker/dropstreamctl: $(call obj,$(CTL_SRC)) $(BUILD)/libworker.a $(BUILD)/libdropstream.a
	$(link)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# ---- the pages -------------------------------------------------------------

# npm writes its own stamp; a run of npm only where the lock file is newer.
UI_MODULES   := htdocs/node_modules/.package-lock.json
TEST_MODULES := tests/node_modules/.package-lock.json
%/node_modules/.package-lock.json: %/package-lock.json %/package.json
	$(call say,NPM,$*)
	$(Q)cd $* && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

UI_SRC := $(shell find htdocs -name node_modules -prune -o -type f -print 2>/dev/null)
ui: $(BUILD)/ui.stamp ## the pages
$(BUILD)/ui.stamp: $(UI_SRC) $(UI_MODULES)
	@mkdir -p $(@D)
	$(call say,UI,$(BUILD)/htdocs)
	$(Q)cd htdocs && npm run --silent build -- --logLevel warn --emptyOutDir \
	  --outDir "$(abspath $(BUILD)/htdocs)" && touch "$(abspath $@)"

# media-chrome's may change with each version of it; a test tells.
style-hashes: $(UI_MODULES) ## etc/style_hashes.conf anew, after an upgrade of media-chrome
	$(Q)hashes=$$(node htdocs/style_hashes.mjs) && printf '%s\n' "$$hashes" >etc/style_hashes.conf

# ---- tests -----------------------------------------------------------------

# Not optimized: that takes most of the time, and what is to be fast is in the libraries.
$(BUILD)/tests/unit/%.o: ALL_CFLAGS += -O0 -Iworker -Icgi-bin -Itests/unit -DSOURCE_DIR='"$(CURDIR)"'
$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(BUILD)/libworker.a $(BUILD)/libcgi.a $(BUILD)/libdropstream.a
	$(link)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FCGI_LIBS) $(LIBS) $(WORKER_LIBS) $(shell pkg-config --libs cmocka)

# With the pages of api.fcgi, but not its main().
$(BUILD)/tests/unit/test_nomem_api: $(call obj,$(filter-out cgi-bin/api.c,$(API_SRC)))

# What test_jail locks in: free of sanitizers, which want more than a decoder does.
$(BUILD)/tests/unit/jail_probe: tests/unit/jail_probe.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(STD) -O1 -o $@ $< -pthread
$(BUILD)/tests/unit/test_jail.ran: $(BUILD)/tests/unit/jail_probe

# Each is run as soon as it is built, beside what is still being built and other tests.
$(BUILD)/tests/unit/%.ran: $(BUILD)/tests/unit/% always
	@$(abspath $<) >$@ 2>&1 || echo "failed: $*" >>$@; cat $@
always:

# Two thirds of the time of all of them.
UNIT_LONG := arrival_header disk encode_beside encode_feed encode_look encode_truth grants mediadir \
             mkv_real mp4_head mp4_real nomem_jobs nomem_store nomem_videos own_time passes \
             source_bounds_ways taken_over
unit: $(UNIT_BIN:%=%.ran) ## the C unit tests (cmocka)
unit-short: $(UNIT_BIN) $(patsubst %,$(BUILD)/tests/unit/test_%.ran,$(filter-out $(UNIT_LONG),$(UNIT)))
unit unit-short:
	@! grep -h '^failed: ' $(filter %.ran,$^)

ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN_BUILD := $(BUILD)/asan/$(lastword $(notdir $(CC)))
asan: ## all programs and the unit tests, under AddressSanitizer and UBSan
	+$(Q)$(MAKE) --no-print-directory BUILD=$(ASAN_BUILD) CFLAGS="-O1 -g" all unit SANITIZE="$(ASAN)"

# Those that start most of what there is, in a few runs of each program.
UNDER_VALGRIND := upload tus shares subtitles poster api accounts access checksum ctl check_ctl \
                  encode storyboard truth media grants passes static strict
valgrind: $(UNIT_BIN:%=%.valgrind) all ui $(TEST_MODULES) ## all programs and the unit tests under memcheck: leaks, and what is read before it is written
	@! grep -l '^failed: ' $(UNIT_BIN:%=%.valgrind)
	$(Q)tests/under.sh valgrind "$(abspath $(BUILD))" $(or $(TEST),$(UNDER_VALGRIND:%=tests/http/%.test.mjs))
$(BUILD)/tests/unit/%.valgrind: $(BUILD)/tests/unit/% valgrind-is-there always
	$(call say,MEMCHK,$*)
	@DROPSTREAM_UNDER=valgrind valgrind -q --error-exitcode=99 --leak-check=full \
	  --errors-for-leak-kinds=definite --child-silent-after-fork=yes $(abspath $<) >$@ 2>&1 || \
	  { echo "failed: $*" >>$@; cat $@; }
valgrind-is-there:
	@command -v valgrind >/dev/null || { echo 'valgrind is not installed: apt-get install valgrind' >&2; exit 1; }

# Without those of what is loaded into a program before a sanitizer, and of run.sh, which
# has a build of its own.
UNDER_ASAN = $(filter-out $(patsubst %,tests/http/%.test.mjs,faults read_error slow_disk run),\
             $(TESTS))
asan-tests: ui $(TEST_MODULES) ## the tests over HTTP and in Chromium, with programs under AddressSanitizer and UBSan
	+$(Q)$(MAKE) --no-print-directory BUILD=$(ASAN_BUILD) CFLAGS="-O1 -g" all SANITIZE="$(ASAN)"
	$(Q)ln -sfn "$(abspath $(BUILD))/htdocs" "$(ASAN_BUILD)/htdocs"
	$(Q)tests/under.sh asan "$(abspath $(ASAN_BUILD))" $(or $(TEST),$(UNDER_ASAN))

# ---- fuzzing ---------------------------------------------------------------

FUZZ_S   ?= 30
FUZZ_DIR := $(BUILD)/fuzz
# libFuzzer watches these too. They are compiled once; a target takes what it needs.
FUZZ_SRC := lib/bmff.c lib/charset.c lib/clock.c lib/config.c lib/config_value.c lib/ebml.c \
            lib/id.c lib/io.c lib/json_text.c lib/language.c lib/log.c lib/mime.c \
            lib/mkv_values.c lib/mkv_walk.c lib/mp4_entry.c lib/mp4_frag.c lib/mp4_head.c lib/mp4_index.c \
            lib/mp4_moof.c lib/mp4_packets.c lib/mp4_reach.c lib/mp4_samples.c \
            lib/mp4_tables.c lib/mp4_walk.c lib/multipart.c lib/origin.c lib/rc.c \
            lib/secret.c lib/sniff.c lib/sniff_refuse.c lib/subtitle.c \
            lib/subtitle_text.c lib/text.c worker/arrival_bounds.c worker/compressed_index.c \
            worker/cutter.c worker/media_info.c worker/packet_scan.c worker/source_bounds.c \
            worker/source_bounds_mkv.c worker/source_bounds_mp4.c cgi-bin/address.c cgi-bin/api_body.c cgi-bin/checksum.c \
            cgi-bin/cookie.c cgi-bin/disposition.c cgi-bin/http_text.c \
            cgi-bin/media_path.c cgi-bin/same_origin.c cgi-bin/tus_headers.c \
            cgi-bin/upload_form.c cgi-bin/upload_names.c
FUZZ_FLAGS := $(STD) -O1 -g $(INC) -Iworker -Icgi-bin -MMD -MP -fno-sanitize-recover=all

$(FUZZ_DIR)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<
$(FUZZ_DIR)/libfuzzed.a: $(FUZZ_SRC:%.c=$(FUZZ_DIR)/obj/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(FUZZ_DIR)/fuzz_%: $(FUZZ_DIR)/obj/tests/fuzz/fuzz_%.o $(FUZZ_DIR)/libfuzzed.a
	$(link)
	$(Q)clang -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $^ $(LIBS)

# Words that the fuzzer puts in; some targets share theirs.
DICT = $*
$(addprefix fuzz-,mp4_index mp4_tables cutter sniff): DICT := mp4
$(addprefix fuzz-,json_body media_info): DICT := json

fuzzers: $(FUZZ:%=$(FUZZ_DIR)/fuzz_%)
# The seeds, and what earlier runs have found, are replayed first.
fuzz: $(FUZZ:%=fuzz-%) ## libFuzzer on what reads uploads, headers, bodies, settings, FUZZ_S (30) seconds each
$(FUZZ:%=fuzz-%): fuzz-%: $(FUZZ_DIR)/fuzz_%
	@printf '  FUZZ    %s, %s s\n' $* $(FUZZ_S); mkdir -p $(FUZZ_DIR)/$*
	$(Q)node tests/fuzz/seeds.mjs $* $(FUZZ_DIR)/$*.seeds && \
	  $< -max_total_time=$(FUZZ_S) -timeout=10 -rss_limit_mb=1024 -dict=tests/fuzz/$(DICT).dict \
	    -artifact_prefix=$(FUZZ_DIR)/$*- $(FUZZ_DIR)/$* $(FUZZ_DIR)/$*.seeds \
	    2>$(FUZZ_DIR)/$*.log || { grep -v '^#' $(FUZZ_DIR)/$*.log | tail -50; exit 1; }

lint: ## borders between the parts, sizes, formatting
	$(Q)tests/lint.sh

# Each file is a target of its own, so that -j runs them beside each other; what it said is
# shown as a whole when it is over. The busy ones encode most of their time, two of them at
# once (tests/check.sh); the others mostly wait. The longest first of each, so that the cores
# do not wait at the end for one that began late.
TESTS := $(wildcard tests/http/*.test.mjs tests/browser/*.test.mjs)
BUSY  := $(patsubst %,tests/%.test.mjs,http/corpus http/demand http/continuity http/sound_copy \
           http/source browser/matrix http/arriving http/encode http/disguise http/subtitles)
LONG  := $(patsubst %,tests/%.test.mjs,http/disk http/faults browser/seek http/worker \
           browser/watching browser/damaged browser/resume browser/private browser/names browser/account \
           browser/upload_and_watch http/run browser/preview browser/readiness http/truth \
           browser/open_ended http/storm http/locked http/check_ctl http/ladder browser/quality)
ran = $(patsubst tests/%.test.mjs,$(BUILD)/tests/%.ran,$(1))

http-tests: $(call ran,$(filter tests/http/%,$(TESTS))) ## real lighttpd, worker and ffmpeg
browser-tests: $(call ran,$(filter tests/browser/%,$(TESTS))) ## real Chromium
busy-tests: $(call ran,$(BUSY))
other-tests: $(call ran,$(LONG) $(filter-out $(BUSY) $(LONG),$(TESTS)))
http-tests browser-tests busy-tests other-tests:
	@! grep -h '^failed: ' $^

# Loaded into programs that are to fail (tests/faults).
INJECT := $(BUILD)/tests/faults/inject.so
INJECT_SRC := tests/faults/inject.c tests/faults/journal.c
$(INJECT): $(INJECT_SRC) tests/faults/journal.h
	@mkdir -p $(@D)
	$(link)
	$(Q)$(CC) $(STD) -O1 -shared -fPIC -o $@ $(INJECT_SRC)

faults: all ui $(TEST_MODULES) $(INJECT) ## each call of upload.fcgi and the worker fails in turn, the power goes, the clock jumps or the worker stands still there
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/faults/all.mjs

storm: all ui $(TEST_MODULES) ## programs are killed at random for STORM_S (600) seconds, under load
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/faults/rage.mjs $(or $(STORM_S),600)

served: all ui $(TEST_MODULES) $(INJECT) ## what the tests over HTTP and in Chromium need
$(BUILD)/tests/%.ran: tests/%.test.mjs served always
	@mkdir -p $(@D)
	@DROPSTREAM_BUILD=$(abspath $(BUILD)) node --test-reporter=spec $< >$@ 2>&1 || \
	  echo "failed: $<" >>$@; echo "---- $<"; cat $@
ui-tests: ui-types ui-unit ## types and unit tests of the pages
ui-types: $(UI_MODULES)
	$(Q)cd htdocs && npm run check
ui-unit: $(UI_MODULES)
	$(Q)cd htdocs && npm test

screenshot: all ui $(TEST_MODULES) ## the picture in README, taken anew
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/browser/screenshot.mjs htdocs/screenshots/library.png

check: ## all tests, the unit tests under the sanitizers; a summary at the end
	$(Q)CC="$(CC)" BUILD="$(BUILD)" tests/check.sh

# ---- benches ---------------------------------------------------------------

bench: bench-upload bench-encode bench-queue bench-seek bench-adaptive bench-storyboard \
       bench-auth bench-jail bench-multipart bench-memory ## all
bench-upload: all ui $(TEST_MODULES) ## what 1 GB uploads cost, how soon they play
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/bench/upload.mjs
bench-encode: all ## wall time of a 360p encode against ffmpeg alone
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/bench/encode.mjs
bench-queue: all ## how soon a job starts; CPU of an idle site
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/bench/queue.mjs
bench-adaptive: all $(TEST_MODULES) ## the source as it is, the ladder, quality at 360p
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/bench/adaptive.mjs
bench-seek: all ui $(TEST_MODULES) ## seeks into what is not encoded yet
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/bench/seek.mjs
bench-auth: all ## sign-in, segments by their key and asked about, guessing
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/bench/auth.mjs
bench-jail: $(BUILD)/tests/bench/jail_times ## what it costs to lock ffmpeg in
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/bench/jail.mjs
$(BUILD)/tests/bench/%.o: ALL_CFLAGS += -Iworker
$(BUILD)/tests/bench/jail_times: $(BUILD)/tests/bench/jail_times.o $(BUILD)/libworker.a $(BUILD)/libdropstream.a
	$(link)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(WORKER_LIBS)
bench-memory: all $(TEST_MODULES) ## whether the memory of any program grows with what it does
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/bench/memory.mjs
bench-multipart: $(BUILD)/tests/bench/multipart_times ## what forms full of near-boundaries cost
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/bench/multipart.mjs
$(BUILD)/tests/bench/multipart_times: $(BUILD)/tests/bench/multipart_times.o $(BUILD)/libdropstream.a
	$(link)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
bench-storyboard: all ## CPU of the seek bar's small pictures
	$(Q)DROPSTREAM_BUILD=$(abspath $(BUILD)) node tests/bench/storyboard.mjs

# ---- the site --------------------------------------------------------------

install: all ## lay out or update a site: make install SITE=dir
	$(Q)etc/install.sh "$(BUILD)" "$(SITE)"

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
