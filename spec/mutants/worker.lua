-- SPDX-License-Identifier: MIT
-- Takes change after change from the plan, makes it in a copy of its own, and tells what became of it, a line each:
--   INDEX killed|survived|equivalent|not-built|left REASON
-- Several of these share a folder: todo/N stands for a change that nobody has taken. Each has two copies of the tree,
-- of which one is never changed. How long each test takes then, and what it runs, is kept in records for the next run.

local reach = require "spec.mutants.reach"
local rules = require "spec.mutants.rules"
local tests = require "spec.mutants.tests"
local tree = require "spec.mutants.tree"

local unpack = unpack or table.unpack -- luacheck: ignore 113 143

local worker = {}

-- Without a change no test is known to take longer; the machine may be busy.
local LONGEST = 300

-- A test that takes longer than this many seconds waits for others, and may fail because the machine is busy.
local QUICK = 1

-- Which sanitizer looks at a survivor in C, in the C tests: a race, or a leak or what lies outside of memory.
local function checker_of(change)
  return change.rule == "dropped lock" and "thread" or "address"
end

local Worker = {}
Worker.__index = Worker

local function seconds_left(self)
  return self.deadline - tree.now()
end

-- Runs a test in the unchanged tree: the seconds it takes, "fails", or "longer than N" when it was cut short; nil when
-- there was no time to see. build, environment: as tree.test takes them.
local function run_unchanged(self, test, build, environment)
  local limit = math.min(LONGEST, test.slowest)
  local passed, took = tree.build(self.clean, { test }, build), 0
  limit = math.max(1, math.min(limit, seconds_left(self)))
  if passed then passed, took = tree.test(self.clean, test, limit, build, environment) end
  if seconds_left(self) <= 0 then return nil end
  if passed then return tostring(took) end
  return took >= limit and "longer than " .. limit or "fails"
end

-- Where the record of a test, as it is now, is: its seconds, and what it runs.
local function record_of(self, test, kind)
  self.sums[test.name] = self.sums[test.name] or tree.sum(self.clean, test)
  return ("%s/%s-%s-%s"):format(self.records, test.name:gsub("/", "+"), self.sums[test.name], kind)
end

-- The same, and at once which lines it runs. Where a test minds being looked at, nothing is known of them.
local function measure(self, test, language, checker)
  if self.options.reach and not checker then
    local record = record_of(self, test, language)
    tree.run("mkdir -p " .. record)
    local known = run_unchanged(self, test, language == "c" and "coverage" or nil,
      reach.environment(self.clean, record, language))
    if language == "c" then reach.keep(self.clean, record) end
    if known ~= "fails" then return known end
    tree.run("rm -r " .. record)
  end
  local known = run_unchanged(self, test, checker)
  if known == "fails" then
    local with = checker and " with " .. checker or ""
    self.tell(("# %s%s fails without a change: left out"):format(test.name, with))
  end
  return known
end

-- What is known of a test's time in the unchanged tree, as run_unchanged tells it, and where that is kept; nil when it
-- is still to be measured.
local function recorded(self, test, kind)
  local path = record_of(self, test, kind) .. ".seconds"
  local known = self.failing[path] or tree.read(path)
  local cut_at = known and tonumber(known:match "^longer than (.*)")
  if cut_at and cut_at < math.min(LONGEST, test.slowest) then known = nil end
  return known, path
end

-- How long a test takes in the unchanged tree; false when it is not to be run, nil when there was no time to see.
local function usual_time(self, test, language, checker)
  local known, path = recorded(self, test, checker or language)
  if not known then
    known = measure(self, test, language, checker)
    if not known then return nil end
    if known == "fails" then self.failing[path] = known else tree.write(path, known) end
  end
  local usual = tonumber(known)
  return usual and usual <= test.slowest and usual or false
end

-- Does a test run what is changed? Yes, where nothing is known, and where it has the file's name: what a process runs
-- before a crash or in a fork is counted nowhere.
local function runs(self, test, change, language)
  local record = record_of(self, test, language)
  return test.named or not tree.exists(record) or reach.runs(self.clean, record, change)
end

-- Those of the tests that can notice a change, the quickest first, with the seconds they take; nil when time ran out.
local function choose(self, list, change, checker)
  local chosen, language = {}, change.path:match "%.(%w+)$"
  for i, test in ipairs(list) do
    local usual = usual_time(self, test, language, checker)
    if usual == nil then return nil end
    if usual and runs(self, test, change, language) then
      chosen[#chosen + 1] = { test = test, usual = usual, place = i }
    end
  end
  table.sort(chosen, function(a, b)
    if a.usual ~= b.usual then return a.usual < b.usual end
    return a.place < b.place
  end)
  return chosen
end

-- Did it fail? A test that waits for others, or was cut short, has failed when it does so twice.
local function fails(self, test, usual, checker)
  for _ = 1, 2 do
    local limit = math.max(1, math.min(5 * usual + 5, seconds_left(self)))
    local passed, took = tree.test(self.copy, test, limit, checker)
    if passed then return false end
    if usual <= QUICK and took < limit then return true end
  end
  return true
end

-- The name of the first test that notices, nil when none does; "left" when time ran out before that was known. Most
-- changes are noticed by the first tests: what is built at once for it doubles from one to the next.
local function noticed_by_any(self, list, change, checker)
  local chosen = choose(self, list, change, checker)
  if not chosen then return "left" end
  local all, built, is_built = {}, 0, false
  for i, choice in ipairs(chosen) do all[i] = choice.test end
  for i, choice in ipairs(chosen) do
    local test, usual = choice.test, choice.usual
    if i > built then
      built = 2 * built + 1
      is_built = tree.build(self.copy, { unpack(all, i, math.min(built, #all)) }, checker)
    end
    local failed = (is_built or tree.build(self.copy, { test }, checker)) and fails(self, test, usual, checker)
    if seconds_left(self) <= 0 then return "left" end
    if failed then return "killed", test.name .. (checker and " with " .. checker or "") end
  end
  return nil
end

-- Is it known how long the test takes, or is that for this worker to see, as nobody else of this run began to?
local function may_try(self, test, kind)
  if recorded(self, test, kind) then return true end
  return tree.run(("mkdir %s/taken/%s-%s"):format(self.folder, test.name:gsub("/", "+"), kind)) == 0
end

-- The same; tests that nothing is known of yet come one by one behind the others, but for those of the file's name: to
-- measure a test costs more than to try it. What somebody else measures meanwhile comes last.
local function noticed_by_kind(self, list, change, checker)
  local kind = checker or change.path:match "%.(%w+)$"
  local first, later, last = {}, {}, {}
  for _, test in ipairs(list) do
    table.insert((test.named or recorded(self, test, kind)) and first or later, test)
  end
  local result, reason = noticed_by_any(self, first, change, checker)
  for _, tests_left in ipairs { later, last } do
    for _, test in ipairs(tests_left) do
      if result then return result, reason end
      if tests_left == later and not may_try(self, test, kind) then last[#last + 1] = test
      else result, reason = noticed_by_any(self, { test }, change, checker) end
    end
  end
  return result, reason
end

-- The same; the C tests first, which are quicker.
local function noticed_by(self, list, change, checker)
  for _, kind in ipairs { "c", "model", "spec" } do
    local part = {}
    for _, test in ipairs(list) do
      if test.kind == kind then part[#part + 1] = test end
    end
    local result, reason = noticed_by_kind(self, part, change, checker)
    if result then return result, reason end
  end
  return nil
end

-- Is what is made of the changed file the same as before? nil when nothing can be made of it.
local function is_same(self, change, changed, original)
  if change.path:find "%.lua$" then
    local load_text = loadstring or load -- luacheck: ignore 113
    local after = load_text(changed, "=x")
    if not after then return nil end
    return string.dump(after, true) == string.dump(load_text(original, "=x"), true)
  end
  local object = tree.object(change.path)
  if not self.objects[object] then
    if not tree.make(self.clean, object) then return nil end
    self.objects[object] = tree.read(self.clean .. "/" .. object)
  end
  if not tree.make(self.copy, object) then return nil end
  return tree.read(self.copy .. "/" .. object) == self.objects[object]
end

local function judge(self, change, original)
  local same = is_same(self, change, rules.apply(original, change), original)
  if same == nil then return "not-built" end
  if same then return "equivalent", "the same code" end
  local near, wide = tests.of(self.copy, change.path)
  local result, reason = noticed_by(self, near, change)
  if result then return result, reason end
  if not self.options.near then result, reason = noticed_by(self, wide, change) end
  if not result and self.options.checked then
    local checked = {}
    for _, list in ipairs { near, self.options.near and {} or wide } do
      for _, test in ipairs(list) do
        if test.kind == "c" then checked[#checked + 1] = test end
      end
    end
    result, reason = noticed_by(self, checked, change, checker_of(change))
  end
  return result or "survived", reason
end

function Worker:try(index, change)
  local path = self.copy .. "/" .. change.path
  local original = tree.read(path)
  tree.write(path, rules.apply(original, change))
  local result, reason = judge(self, change, original)
  tree.write(path, original)
  self.tell(("%d %s %s"):format(index, result, reason or ""))
end

-- Nobody else has it: only one can move the same file.
local function take(self, index)
  return os.rename(("%s/todo/%d"):format(self.folder, index), ("%s/taken/%d"):format(self.folder, index))
end

--- Works on a plan in a folder until the deadline (as tree.now counts); number is this worker's own. options: near
--- leaves the wider set of tests out, checked lets a sanitizer look at survivors, reach leaves out tests that do not
--- run what is changed.
function worker.run(folder, number, plan, deadline, options, tell)
  local self = setmetatable({ folder = folder, deadline = deadline, options = options, tell = tell, objects = {},
    sums = {}, failing = {}, records = tree.read(folder .. "/records"), clean = ("%s/clean-%d"):format(folder, number),
    copy = ("%s/changed-%d"):format(folder, number) }, Worker)
  tree.clone(folder .. "/clean", self.clean)
  tree.clone(folder .. "/clean", self.copy)
  for index, change in ipairs(plan) do
    if seconds_left(self) <= 0 then break end
    if take(self, index) then self:try(index, change) end
  end
end

return worker
