// In-process cost of libmodsecurity per transaction, without any web server.
//   cc -O2 -o peer peer.c -lmodsecurity
//   peer MAIN.conf CORPUS_DIR SECONDS|nCOUNT [SCENARIO...]     nCOUNT: that many transactions, for instruction counts
// Corpus: see corpus.rs. One JSON line per scenario; cpu_us is thread CPU time per transaction (all five phases).
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

typedef struct { char *k, *v; } hdr;
typedef struct { char *method, *uri; hdr h[64]; int n; char *body; size_t len; } msg;

static double now(clockid_t c) { struct timespec t; clock_gettime(c, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static void quiet(void *d, const void *m) { (void)d; (void)m; }

static long rss_kb(void) {
    FILE *f = fopen("/proc/self/status", "r"); char l[256]; long v = 0;
    while (fgets(l, sizeof l, f)) if (sscanf(l, "VmRSS: %ld", &v) == 1) break;
    fclose(f); return v;
}

static int load(const char *path, msg *m) {
    FILE *f = fopen(path, "rb"); if (!f) return -1;
    fseek(f, 0, SEEK_END); long n = ftell(f); rewind(f);
    char *b = malloc(n + 1); if (fread(b, 1, n, f) != (size_t)n) return -1; b[n] = 0; fclose(f);
    memset(m, 0, sizeof *m);
    char *end = memmem(b, n, "\r\n\r\n", 4); if (!end) return -1;
    m->body = end + 4; m->len = b + n - m->body; end[2] = 0;
    char *line = b, *nl = strstr(line, "\r\n"); *nl = 0;
    m->method = strtok(line, " "); m->uri = strtok(NULL, " ");
    for (line = nl + 2; *line && m->n < 64; line = nl + 2) {
        nl = strstr(line, "\r\n"); if (!nl) break; *nl = 0;
        char *c = strchr(line, ':'); if (!c) continue; *c = 0; c++; while (*c == ' ') c++;
        m->h[m->n].k = line; m->h[m->n++].v = c;
    }
    return 0;
}

static int one(ModSecurity *ms, RulesSet *rs, msg *q, msg *p) {
    Transaction *t = msc_new_transaction(ms, rs, NULL);
    ModSecurityIntervention it = {200, 0, NULL, NULL, 0}; int blocked = 0;
    msc_process_connection(t, "192.0.2.10", 40000, "192.0.2.1", 80);
    msc_process_uri(t, q->uri, q->method, "1.1");
    for (int i = 0; i < q->n; i++) msc_add_request_header(t, (unsigned char *)q->h[i].k, (unsigned char *)q->h[i].v);
    msc_process_request_headers(t); blocked = msc_intervention(t, &it);
    if (!blocked) {
        if (q->len) msc_append_request_body(t, (unsigned char *)q->body, q->len);
        msc_process_request_body(t); blocked = msc_intervention(t, &it);
    }
    if (!blocked) {
        for (int i = 0; i < p->n; i++) msc_add_response_header(t, (unsigned char *)p->h[i].k, (unsigned char *)p->h[i].v);
        msc_process_response_headers(t, 200, "HTTP 1.1"); blocked = msc_intervention(t, &it);
    }
    if (!blocked) {
        msc_append_response_body(t, (unsigned char *)p->body, p->len);
        msc_process_response_body(t); blocked = msc_intervention(t, &it);
    }
    msc_process_logging(t);
    free(it.url); free(it.log);
    msc_transaction_cleanup(t);
    return blocked;
}

static int cmp(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return (x > y) - (x < y); }

int main(int argc, char **argv) {
    if (argc < 4) { fprintf(stderr, "usage: %s MAIN.conf CORPUS_DIR SECONDS|nCOUNT [SCENARIO...]\n", argv[0]); return 2; }
    const char *err = NULL; long count = argv[3][0] == 'n' ? atol(argv[3] + 1) : 0; double secs = count ? 1e9 : atof(argv[3]); long base = rss_kb();
    ModSecurity *ms = msc_init(); msc_set_log_cb(ms, quiet);
    double t0 = now(CLOCK_THREAD_CPUTIME_ID);
    RulesSet *rs = msc_create_rules_set();
    int n = msc_rules_add_file(rs, argv[1], &err);
    if (n < 0) { fprintf(stderr, "rules: %s\n", err); return 1; }
    double t1 = now(CLOCK_THREAD_CPUTIME_ID);
    printf("{\"engine\":\"%s\",\"rules\":%d,\"load_cpu_ms\":%.1f,\"rss_kb_before\":%ld,\"rss_kb_after\":%ld}\n", msc_who_am_i(ms), n, (t1 - t0) * 1e3, base, rss_kb());
    struct dirent **dl; int nd = scandir(argv[2], &dl, NULL, alphasort);
    for (int d = 0; d < nd; d++) {
        if (dl[d]->d_name[0] == '.') continue;
        int want = argc == 4; for (int i = 4; i < argc; i++) want |= !strcmp(argv[i], dl[d]->d_name);
        if (!want) continue;
        char dir[4096], path[8192]; snprintf(dir, sizeof dir, "%s/%s", argv[2], dl[d]->d_name);
        struct dirent **fl; int nf = scandir(dir, &fl, NULL, alphasort);
        static msg q[256]; msg p; int nq = 0;
        for (int i = 0; i < nf; i++) {
            if (fl[i]->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", dir, fl[i]->d_name);
            if (!strcmp(fl[i]->d_name, "response.http")) { if (load(path, &p)) return 1; }
            else if (nq < 256 && load(path, &q[nq++])) return 1;
        }
        for (int i = 0; i < nq && i < 4; i++) one(ms, rs, &q[i], &p);
        size_t cap = 1 << 20, k = 0; double *lat = malloc(cap * sizeof *lat); long blocked = 0;
        double w0 = now(CLOCK_MONOTONIC), c0 = now(CLOCK_THREAD_CPUTIME_ID), last = c0;
        while (now(CLOCK_MONOTONIC) - w0 < secs && k < cap && !(count && (long)k == count)) {
            blocked += one(ms, rs, &q[k % nq], &p) != 0;
            double c = now(CLOCK_THREAD_CPUTIME_ID); lat[k++] = c - last; last = c;
        }
        qsort(lat, k, sizeof *lat, cmp);
        printf("{\"scenario\":\"%s\",\"tx\":%zu,\"blocked\":%ld,\"cpu_us\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"min_us\":%.1f,\"rss_kb\":%ld}\n",
               dl[d]->d_name, k, blocked, (last - c0) / k * 1e6, lat[k / 2] * 1e6, lat[(size_t)(k * 0.99)] * 1e6, lat[0] * 1e6, rss_kb());
        fflush(stdout); free(lat);
    }
    return 0;
}
