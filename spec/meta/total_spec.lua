-- SPDX-License-Identifier: MIT
-- What a suite says at its end, and how long a run may take.
local project = require "spec.support.project"

describe("the total of a suite", function()
  local function last_lines(output) return output:match "(# [^\n]*\n# [^\n]*\n[^\n]*\n)$" end

  local good = [["printf 'ok 1 - a\nok 2 - b # SKIP no network\n  ok 3 - c\n'"]]
  local bad = [["printf 'ok 1 - a\nnot ok 2 - b\n'; exit 3"]]
  local busted = [["echo '40 successes / 0 failures / 0 errors / 2 pending : 1.5 seconds'; echo err >&2"]]

  it("counts what TAP and busted said, and what they said is shown", function()
    local output, status = project.run(("scripts/total 'make it' C %s 'Lua 5.4' %s"):format(good, busted))
    assert.equal(0, status)
    assert.equal("# C: 2 passed, 0 failed, 1 pending\n# Lua 5.4: 40 passed, 0 failed, 2 pending\n"
      .. "make it: 42 passed, 0 failed, 3 pending\n", last_lines(output))
    for _, line in ipairs { "  ok 3 - c\n", "40 successes", "err\n" } do
      assert.truthy(output:find(line, 1, true), output)
    end
  end)

  it("goes on after a part that fails, and fails", function()
    local output, status = project.run(("scripts/total 'make it' C %s Lua %s"):format(bad, busted))
    assert.equal(1, status)
    assert.equal("# C: 1 passed, 1 failed, 0 pending\n# Lua: 40 passed, 0 failed, 2 pending\n"
      .. "make it: 41 passed, 1 failed, 2 pending\n", last_lines(output))
  end)

  it("counts a part that died, or in which nothing ran, as one failure", function()
    local output, status = project.run "scripts/total 'make it' C 'kill -9 $$' Lua 'exit 1'"
    assert.equal(1, status)
    assert.truthy(output:find("\nmake it: 0 passed, 2 failed, 0 pending\n", 1, true), output)
  end)

  it("names the tests that failed, before the counts", function()
    local c = [["printf '# test_a\nok 1 - a\nnot ok 2 - it holds\n# test_a ended with status 1\n'; exit 1"]]
    local dead = [["printf '# test_b\nok 1 - a\n# test_b ended with status 139\n'; exit 123"]]
    local lua = [["printf '# x_spec.lua\nFailure -> x_spec.lua @ 7\nadds\n\nError -> x_spec.lua @ 9\nends\n'; exit 1"]]
    local others = [["printf 'not ok 4 - others agree\n'"]]
    local command = "scripts/total it C %s dead %s Lua %s others %s silent 'exit 3' good %s"
    local output, status = project.run(command:format(c, dead, lua, others, good))
    assert.equal(1, status)
    assert.equal("# failed: test_a: 2 - it holds\n# failed: test_b ended with status 139\n"
      .. "# failed: x_spec.lua:7: adds\n# failed: x_spec.lua:9: ends\n"
      .. "# failed: others: 4 - others agree\n# failed: silent ended with status 3\n"
      .. "# C: 1 passed, 1 failed", output:match "# failed:.*# C: 1 passed, 1 failed")
  end)

  it("repeats what a part has named", function()
    local part = [["printf '# test_a\nnot ok 2 - b\n# failed: test_a: 2 - b\n# C: 0 passed\n'; exit 1"]]
    local output = project.run(("scripts/total outer 'Lua 5.1' %s"):format(part))
    assert.equal("# failed: test_a: 2 - b\n# Lua 5.1: 0 passed, 1 failed, 0 pending\n"
      .. "outer: 0 passed, 1 failed, 0 pending\n", output:match "[^\n]*\n[^\n]*\n[^\n]*\n$")
  end)

  it("ends make test", function()
    local recipe = project.read "Makefile":match "\ntest:\n(.-)\n\n"
    assert.truthy(recipe:find("scripts/total \"make test\"", 1, true))
    for _, part in ipairs { "test-c", "test-lua" } do assert.truthy(recipe:find(" " .. part .. '"', 1, true)) end
  end)
end)

describe("a run of some minutes", function()
  it("may be a fraction of one", function()
    assert.same({ "done\n", 0 }, { project.run "scripts/for-minutes 0.6 10 echo done" })
    assert.same({ "", 7 }, { project.run "scripts/for-minutes .5 10 sh -c 'exit 7'" })
  end)

  it("is ended when it takes longer", function()
    local _, status = project.run "scripts/for-minutes 0.01 0 sleep 60"
    assert.equal(124, status)
  end)

  it("is told what a number is", function()
    for _, word in ipairs { "0", "one", "-1", "1m", "''" } do
      local output, status = project.run("scripts/for-minutes " .. word .. " 10 echo done")
      assert.equal(2, status)
      assert.truthy(output:find("MINUTES must be a number above 0", 1, true), output)
      output, status = project.run("scripts/fuzz " .. word)
      assert.equal(2, status)
      assert.truthy(output:find("SECONDS must be a number above 0", 1, true), output)
    end
    assert.same({ "1..0\n", 0 }, { project.run "scripts/fuzz 1.5" })
  end)

  it("holds for chaos and soak", function()
    for _, target in ipairs { "chaos", "soak" } do
      local output, status = project.run("env -u MAKEFLAGS -u MAKELEVEL make -s MINUTES=x " .. target)
      assert.is_true(status ~= 0)
      assert.truthy(output:find("MINUTES must be a number above 0, like 1 or 0.6, not 'x'", 1, true), output)
    end
  end)
end)
