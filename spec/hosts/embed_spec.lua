-- SPDX-License-Identifier: MIT
-- Hosts in C: the examples, and many states one after the other.
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

-- The programs use what C hosts of Lua 5.3 and later have.
local version = rawget(_G, "jit") and "5.1" or _VERSION:match "%d%.%d"
local package_name = project.run(("for p in lua%s lua-%s; do pkg-config --exists $p && echo $p && break; done"):format(
  version, version)):match "%S+"
local is_plain = not project.lua:find "/lua$" -- a sanitizer's interpreter is of another kind
local define = version >= "5.3" and package_name and is_plain and it or pending

describe("in a C host", function()
  local sim, folder, remove
  setup(function()
    sim = simulator.start { feeds = 2, rate = 5, rate_limit = 0 }
    folder, remove = project.folder()
  end)
  teardown(function()
    if sim then sim:stop() end
    if remove then remove() end
  end)

  local function build(source)
    local command = "cc -O1 -Wall -Wextra -Werror %s $(pkg-config --cflags --libs %s) -pthread -o %s/a"
    local output, status = project.run(command:format(source, package_name, folder))
    assert.are.equal(0, status, output)
  end

  local function run(arguments)
    local output, status = project.run(("%s timeout 120 %s/a %s 2>&1"):format(sim:exports(), folder, arguments))
    assert.are.equal(0, status, output)
    return output
  end

  define("a loop of frames takes what is there", function()
    build "examples/embed/frames.c"
    local count = 0
    for price in run "4":gmatch "[%w/]+\t([%d.]+)\n" do
      assert.is_true(tonumber(price) > 0)
      count = count + 1
    end
    assert.is_true(count >= 4)
  end)

  define("two states run in two threads", function()
    build "examples/embed/threads.c"
    local lines = { ["1"] = 0, ["2"] = 0 }
    for number in run "":gmatch "(%d)\t[%w/]+\t[%d.]+\n" do lines[number] = lines[number] + 1 end
    assert.are.same({ ["1"] = 3, ["2"] = 3 }, lines)
  end)

  define("1,000 states that leave a client and a stream behind leave nothing", function()
    build "spec/hosts/states.c"
    local first, last = run "1000 100":match "^([^\n]+)\n([^\n]+)\n$"
    local descriptors, threads, kib = first:match "(%d+) (%d+) (%d+)"
    local descriptors_after, threads_after, kib_after = last:match "(%d+) (%d+) (%d+)"
    assert.are.equal("1", threads)
    assert.are.equal(threads, threads_after)
    assert.are.equal(descriptors, descriptors_after)
    assert.is_true(tonumber(kib_after) < tonumber(kib) + 4096, first .. " then " .. last)
  end)
end)
