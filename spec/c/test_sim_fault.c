/* SPDX-License-Identifier: MIT
 * The fault language. */
#include "simulator/fault.h"

#include "tap.h"

static struct cds_sim_fault parse(const char *text) {
  struct cds_sim_fault fault;
  struct cds_error err = {0};
  if (!ok(cds_sim_fault_parse(&fault, text, strlen(text), &err) == CDS_OK, "%s", text)) printf("# %s\n", err.message);
  return fault;
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
}

static void refused(const char *text, const char *reason) {
  struct cds_sim_fault fault;
  struct cds_error err = {0};
  is_number(cds_sim_fault_parse(&fault, text, strlen(text), &err), CDS_E_CONFIG, text[0] ? text : "(empty)");
  is_string(err.message, reason, "the reason");
}

static void bad(void) {
  refused("", "fault: on must be given, rest or ws");
  refused("nonsense", "fault: \"nonsense\" is not key=value");
  refused("on=rest", "fault: action must be given");
  refused("on=both,action=cut", "fault: on must be rest or ws");
  refused("on=rest,action=explode", "fault: there is no action explode");
  refused("on=rest,action=cut,colour=red", "fault: there is no key colour");
  refused("on=rest,action=freeze", "fault: action freeze does not go with on=rest");
  refused("on=ws,action=cut", "fault: action cut does not go with on=ws");
  refused("on=rest,action=status", "fault: status must be given with action=status");
  refused("on=rest,action=status,status=99", "fault: status must be 200 to 599");
  refused("on=rest,action=delay,ms=-1", "fault: ms must be 0 to 3600000");
  refused("on=rest,action=delay,ms=1s", "fault: ms must be 0 to 3600000");
  refused("on=ws,action=fragment,bytes=0", "fault: bytes must be 1 to 65535");
  refused("on=ws,action=drop,path=/x", "fault: path must be left out with on=ws");
  refused("on=rest,action=cut,path=x", "fault: path must be a path that starts with /");
  refused("on=rest,action=status,status=503,retry_after=a\rb", "fault: retry_after must be seconds or an HTTP date");
}

static void taking(void) {
  static struct cds_sim_faults faults;
  struct cds_sim_fault fault;
  struct cds_error err = {0};
  const char *text = "on=rest,action=cut,path=/a\r\n\non=rest,action=delay,times=2\non=ws,action=drop,times=0";
  is_number(cds_sim_faults_add(&faults, text, strlen(text), &err), CDS_OK, "three lines");
  is_number(faults.count, 3, "three faults");
  cds_sim_faults_take(&fault, &faults, CDS_SIM_ON_REST, "/b");
  is_number(fault.action, CDS_SIM_DELAY, "the first whose path matches");
  cds_sim_faults_take(&fault, &faults, CDS_SIM_ON_REST, "/a/b");
  is_number(fault.action, CDS_SIM_CUT, "a path is a prefix");
  cds_sim_faults_take(&fault, &faults, CDS_SIM_ON_REST, "/a");
  is_number(fault.action, CDS_SIM_DELAY, "used up, the next one has its turn");
  cds_sim_faults_take(&fault, &faults, CDS_SIM_ON_REST, "/a");
  is_number(fault.action, CDS_SIM_NO_FAULT, "none left");
  for (int i = 0; i < 3; i++) cds_sim_faults_take(&fault, &faults, CDS_SIM_ON_WS, "/api/v1/ws");
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
  bad();
  taking();
  return done();
}
