/* SPDX-License-Identifier: MIT
 * The fault language. */
#include "simulator/fault.h"

#include "tap.h"

static struct cds_sim_fault parse(const char *text) {
  struct cds_sim_fault steps[CDS_SIM_MAX_STEPS];
  struct cds_error err = {0};
  size_t count;
  if (!ok(cds_sim_fault_parse(steps, &count, text, strlen(text), &err) == CDS_OK && count == 1, "%s", text))
    printf("# %s\n", err.message);
  return steps[0];
}

static void good(void) {
  struct cds_sim_fault fault =
    parse("on=rest,action=status,status=503,retry_after=2,body=html,times=3,path=/api/v1/feeds");
  ok(fault.on == CDS_SIM_ON_REST && fault.action == CDS_SIM_STATUS && fault.status == 503 && fault.times == 3 &&
       fault.body == CDS_SIM_BODY_HTML,
     "all keys are read");
  is_string(fault.retry_after, "2", "retry_after");
  is_string(fault.path, "/api/v1/feeds", "path");
  fault = parse("retry_after=Sun, 06 Nov 2094 08:49:37 GMT,on=ws,status=429,action=status");
  is_string(fault.retry_after, "Sun, 06 Nov 2094 08:49:37 GMT", "a date keeps its comma");
  is_number(fault.status, 429, "what follows it is read");
  fault = parse("on=ws,action=close");
  ok(fault.times == 1 && fault.code == 1001 && fault.after == 0, "defaults");
  fault = parse("on=ws,action=fragment");
  is_number(fault.bytes, 1, "one byte a fragment by default");
  fault = parse("on=ws,action=corrupt,origin=o2");
  is_string(fault.kind, "hex", "the first kind by default");
  is_number(fault.count, 1, "an action's own number of times");
  is_string(fault.origin, "o2", "origin");
  is_number(parse("on=live,action=old").seconds, 3600, "an action's own seconds");
  is_number(parse("on=rest,action=redirect").status, 302, "a redirect's status");
}

static void steps(void) {
  struct cds_sim_fault list[CDS_SIM_MAX_STEPS];
  struct cds_error err = {0};
  const char *text = "on=ws,times=2,action=delay,ms=50,count=3;action=duplicate,after=2;action=close,code=1012";
  size_t count = 0;
  is_number(cds_sim_fault_parse(list, &count, text, strlen(text), &err), CDS_OK, "three steps");
  is_number(count, 3, "are three");
  ok(list[0].action == CDS_SIM_DELAY && list[0].count == 3 && !list[0].then, "the first");
  ok(list[1].action == CDS_SIM_DUPLICATE && list[1].after == 2 && list[1].then, "the second");
  ok(list[2].action == CDS_SIM_CLOSE && list[2].code == 1012 && list[2].on == CDS_SIM_ON_WS, "the third");
}

static void refused(const char *text, const char *reason) {
  struct cds_sim_fault steps[CDS_SIM_MAX_STEPS];
  struct cds_error err = {0};
  size_t count;
  is_number(cds_sim_fault_parse(steps, &count, text, strlen(text), &err), CDS_E_CONFIG, text[0] ? text : "(empty)");
  is_string(err.message, reason, "the reason");
}

static void bad(void) {
  refused("", "fault: on must be given: rest, ws, live or accept");
  refused("nonsense", "fault: \"nonsense\" is not key=value");
  refused("on=rest", "fault: action must be given");
  refused("on=both,action=cut", "fault: on must be rest, ws, live or accept");
  refused("on=rest,action=explode", "fault: there is no action explode");
  refused("on=rest,action=cut,colour=red", "fault: there is no key colour");
  refused("on=rest,action=freeze", "fault: action freeze does not go with on=rest");
  refused("on=ws,action=cut", "fault: action cut does not go with on=ws");
  refused("on=rest,action=status", "fault: status must be given with action=status");
  refused("on=rest,action=status,status=99", "fault: status must be 200 to 599");
  refused("on=rest,action=delay,ms=-1", "fault: ms must be 0 to 3600000");
  refused("on=rest,action=delay,ms=1s", "fault: ms must be 0 to 3600000");
  refused("on=ws,action=fragment,bytes=0", "fault: bytes must be 1 to 65535");
  refused("on=live,action=drop,path=/x", "fault: path must be left out but with on=rest and on=ws");
  refused("on=rest,action=cut,path=x", "fault: path must be a path that starts with /");
  refused("on=rest,action=cut,origin=o1", "fault: origin must be left out but with on=ws and on=live");
  refused("on=accept,action=cut,times=0", "fault: times must be 1 or more with on=accept");
  refused("on=ws,action=half,kind=quarter", "fault: kind must be one of freeze drop");
  refused("on=ws,action=half,kind=dro", "fault: kind must be one of freeze drop");
  refused("on=ws,action=drop,kind=half", "fault: kind must be left out with this action");
  refused("on=ws,action=old;on=ws,action=drop", "fault: on must be given in the first step only");
  refused("on=ws,action=old;", "fault: action must be given");
  refused("on=rest,action=cut;action=cut", "fault: only on=ws and on=live have steps");
  refused("on=rest,action=status,status=503,retry_after=a\rb", "fault: retry_after must be seconds or an HTTP date");
}

/* The first step of what is taken. */
static void take(struct cds_sim_fault *out, struct cds_sim_faults *faults, enum cds_sim_on on, const char *path) {
  struct cds_sim_fault list[CDS_SIM_MAX_STEPS];
  *out = (struct cds_sim_fault){0};
  if (cds_sim_faults_take(list, faults, on, path, "o1") > 0) *out = list[0];
}

static void taking_steps(void) {
  static struct cds_sim_faults faults;
  struct cds_sim_fault list[CDS_SIM_MAX_STEPS];
  struct cds_error err = {0};
  const char *text = "on=ws,origin=o2,action=drop\non=ws,times=2,action=old;action=drop\non=ws,action=freeze";
  is_number(cds_sim_faults_add(&faults, text, strlen(text), &err), CDS_OK, "three faults");
  is_number(faults.count, 4, "of four steps");
  for (int i = 0; i < 2; i++) {
    is_number(cds_sim_faults_take(list, &faults, CDS_SIM_ON_WS, "/", "o1"), 2, "both steps");
    ok(list[0].action == CDS_SIM_OLD && list[1].action == CDS_SIM_DROP, "of the first for any origin");
  }
  is_number(faults.count, 2, "leave together");
  is_number(cds_sim_faults_take(list, &faults, CDS_SIM_ON_WS, "/", "o2"), 1, "that of the origin");
  is_number(list[0].action, CDS_SIM_DROP, "comes first where it is first");
  is_number(cds_sim_faults_take(list, &faults, CDS_SIM_ON_REST, "/", "o1"), 0, "another place has none");
}

static void taking(void) {
  static struct cds_sim_faults faults;
  struct cds_sim_fault fault;
  struct cds_error err = {0};
  const char *text = "on=rest,action=cut,path=/a\r\n\non=rest,action=delay,times=2\non=ws,action=drop,times=0";
  is_number(cds_sim_faults_add(&faults, text, strlen(text), &err), CDS_OK, "three lines");
  is_number(faults.count, 3, "three faults");
  take(&fault, &faults, CDS_SIM_ON_REST, "/b");
  is_number(fault.action, CDS_SIM_DELAY, "the first whose path matches");
  take(&fault, &faults, CDS_SIM_ON_REST, "/a/b");
  is_number(fault.action, CDS_SIM_CUT, "a path is a prefix");
  take(&fault, &faults, CDS_SIM_ON_REST, "/a");
  is_number(fault.action, CDS_SIM_DELAY, "used up, the next one has its turn");
  take(&fault, &faults, CDS_SIM_ON_REST, "/a");
  is_number(fault.action, CDS_SIM_NO_FAULT, "none left");
  for (int i = 0; i < 3; i++) take(&fault, &faults, CDS_SIM_ON_WS, "/api/v1/ws");
  is_number(fault.action, CDS_SIM_DROP, "times=0 lasts");
  is_number(faults.count, 1, "and stays");
  text = "on=rest,action=cut\nrubbish";
  is_number(cds_sim_faults_add(&faults, text, strlen(text), &err), CDS_E_CONFIG, "a wrong line");
  is_number(faults.count, 1, "adds nothing");
  while (faults.count < CDS_SIM_MAX_FAULTS - 1)
    if (!ok(cds_sim_faults_add(&faults, text, 18, &err) == CDS_OK, "one more")) break;
  text = "on=rest,action=cut\non=rest,action=cut";
  is_number(cds_sim_faults_add(&faults, text, strlen(text), &err), CDS_E_CONFIG, "two where one has room");
  is_number(faults.count, CDS_SIM_MAX_FAULTS - 1, "add nothing");
  is_number(cds_sim_faults_add(&faults, text, 18, &err), CDS_OK, "one fills the list");
  is_number(cds_sim_faults_add(&faults, text, 18, &err), CDS_E_CONFIG, "a full list takes no more");
}

int main(void) {
  good();
  steps();
  bad();
  taking_steps();
  taking();
  return done();
}
