-- SPDX-License-Identifier: MIT
-- What an examination has found, one after the other: a line of text or an object of JSON each.

local advices = require "chainlink.cli.advice"
local text = require "chainlink.text"

local findings = {}

local Findings = {}
Findings.__index = Findings

--- tell(finding) is called for each at once: {status= "ok", "warn" or "fail", check=, message=, advice=, see=}. The
--- last is a heading of docs/troubleshooting.md.
function findings.new(tell)
  return setmetatable({ tell = tell, count = { ok = 0, warn = 0, fail = 0 } }, Findings)
end

local function add(self, status, check, message, advice, err)
  self.count[status] = self.count[status] + 1
  self.tell { status = status, check = check, message = text.plain(message), advice = advice and text.plain(advice),
    see = err and advices.place(err) }
end

function Findings:ok(check, message) add(self, "ok", check, message) end
function Findings:warn(check, message, advice, err) add(self, "warn", check, message, advice, err) end

--- Well, or a doubt where there is something to do.
function Findings:judge(check, message, advice) add(self, advice and "warn" or "ok", check, message, advice) end

--- err (optional): what it is about, for where to read on.
function Findings:fail(check, message, advice, err) add(self, "fail", check, message, advice, err) end

--- One line for people; paint(text, status) colours its beginning.
function findings.line(finding, paint)
  local line = ("%s  %-12s %s"):format(paint(("%-4s"):format(finding.status), finding.status), finding.check,
    finding.message)
  if finding.advice then line = line .. "; " .. finding.advice end
  return finding.see and line .. " (" .. finding.see .. ")" or line
end

--- The same as a JSON object.
function findings.json(finding)
  local members = {}
  for _, name in ipairs { "status", "check", "message", "advice", "see" } do
    if finding[name] then members[#members + 1] = ('"%s":%s'):format(name, text.json_string(finding[name])) end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

return findings
