# dropstream: one Makefile, not recursive. `make help` lists the targets.

CC      ?= gcc
BUILD   ?= build
SITE    ?= site
V       ?= 0
SANITIZE ?=

PKGS    := sqlite3 jansson inih
CFLAGS  ?= -O2 -g
STD     := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
           -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla \
           -fstack-protector-strong -fno-common
INC     := -Ilib -Ilib/store $(shell pkg-config --cflags $(PKGS))
ALL_CFLAGS = $(STD) $(CFLAGS) $(SANITIZE) $(INC) -MMD -MP
ALL_LDFLAGS = $(LDFLAGS) $(SANITIZE)
LIBS    := $(shell pkg-config --libs $(PKGS)) -pthread
FCGI_LIBS := $(shell pkg-config --libs fcgi)

ifeq ($(V),0)
Q := @
say = @printf '  %-7s %s\n' $(1) $(2);
else
say =
endif

# ---- what is made of what --------------------------------------------------

LIB_SRC := lib/rc.c lib/log.c lib/clock.c lib/id.c lib/text.c lib/site.c lib/spool.c \
           lib/config.c lib/multipart.c lib/sniff.c lib/bmff.c lib/grid.c lib/playlist.c \
           lib/store/store.c lib/store/videos.c lib/store/renditions.c lib/store/jobs.c \
           lib/store/activity.c lib/store/workers.c
WORKER_SRC := worker/loop.c worker/child.c worker/media_info.c worker/probe_args.c \
           worker/plan.c worker/encode_args.c worker/cutter.c worker/mediadir.c \
           worker/segments.c worker/run.c worker/encode_job.c worker/probe_job.c \
           worker/poster_job.c worker/jobs.c worker/joblog.c worker/sweep.c worker/wake.c \
           worker/owner.c worker/live.c worker/playlists.c
CGI_SRC := cgi-bin/fcgi.c cgi-bin/http.c cgi-bin/handles.c cgi-bin/video_json.c
UPLOAD_SRC := cgi-bin/upload.c cgi-bin/upload_form.c
API_SRC := cgi-bin/api.c cgi-bin/api_videos.c cgi-bin/api_activity.c cgi-bin/api_health.c
MEDIA_SRC := cgi-bin/media.c

UNIT := bmff clock config cutter encode_args grid id log media_info multipart plan \
        playlist sniff spool store_activity store_jobs store_videos text http

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB_OBJ    := $(call obj,$(LIB_SRC)) $(BUILD)/lib/store/schema.o
WORKER_OBJ := $(call obj,$(WORKER_SRC))
CGI_OBJ    := $(call obj,$(CGI_SRC))
PROGRAMS   := $(BUILD)/cgi-bin/upload.fcgi $(BUILD)/cgi-bin/api.fcgi \
              $(BUILD)/cgi-bin/media.fcgi $(BUILD)/worker/dropstream-worker
UNIT_BIN   := $(UNIT:%=$(BUILD)/tests/unit/test_%)

.PHONY: all ui check unit http-tests browser-tests ui-tests lint asan install clean help
all: $(PROGRAMS) ## the C programs

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The schema travels inside the program as a string.
$(BUILD)/lib/store/schema.c: lib/store/schema.sql
	@mkdir -p $(@D)
	$(call say,SQL,$<)
	$(Q){ printf 'extern const char store_schema_sql[];\nconst char store_schema_sql[] =\n'; \
	  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$$/\\n"/' $<; \
	  printf '    ;\n'; } > $@
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
$(BUILD)/worker/dropstream-worker: $(BUILD)/worker/main.o $(BUILD)/libworker.a $(BUILD)/libdropstream.a
	$(link)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# ---- tests -----------------------------------------------------------------

$(BUILD)/tests/unit/%.o: ALL_CFLAGS += -Iworker -Icgi-bin -Itests/unit
$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(BUILD)/libworker.a $(BUILD)/libcgi.a $(BUILD)/libdropstream.a
	$(link)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(FCGI_LIBS) $(LIBS) $(shell pkg-config --libs cmocka)

unit: $(UNIT_BIN) ## the C unit tests (cmocka)
	@set -e; for t in $(UNIT_BIN); do ./$$t 2>&1 || exit 1; done

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
