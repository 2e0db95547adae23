-- SPDX-License-Identifier: MIT
local project = require "spec.support.project"

--- Runs scripts/layers on a house of these files, path -> text, each .c of which is compiled.
local function check(files)
  local folder, remove = project.folder()
  for path, text in pairs(files) do
    local layer = path:match "^(.*)/"
    project.run(("mkdir -p %s/src/%s %s/obj/%s"):format(folder, layer, folder, layer))
    project.write(folder .. "/src/" .. path, text .. "\n")
  end
  -- What is included does not matter here; what is called does.
  local built = "cd " .. folder .. "/src && for f in $(find . -name '*.c'); do "
    .. "grep -v '#include' $f | cc -w -xc -c -o ../obj/${f%.c}.o - || exit 1; done"
  local complaint, build_status = project.run(built)
  local output, status = project.run(("%s scripts/layers %s/src %s/obj"):format(project.lua, folder, folder))
  remove()
  assert.equal(0, build_status, complaint)
  return status, output
end

describe("the layer rule", function()
  it("is kept", function()
    local output, status = project.run "make --no-print-directory layers"
    assert.equal(0, status, output)
    assert.matches("\n%d%d+ includes keep to their layers, and %d%d+ files call in one direction\n$", output)
  end)

  local broken = {
    { "base/x.c", '#include "codec/hex.h"', "base is below codec" },
    { "codec/x.c", '#include "crypto/hmac.h"', "codec is below crypto" },
    { "net/x.c", '#include "rest/api.h"', "net is below rest" },
    { "order/x.c", '#include "base/clock.h"', "order sees no clock" },
    { "order/x.c", '#include "net/url.h"', "order is below net" },
    { "client/x.h", "#include <lua.h>", "only src/lua sees Lua" },
    { "codec/x.c", "#include <pthread.h>", "codec sees no socket, thread or clock" },
    { "crypto/x.c", '#include "base/clock.h"', "crypto sees no clock" },
    { "client/x.c", '#include "link.h"', "name a header from src/" },
    { "simulator/x.c", '#include "codec/report.h"', "shares only base, hex and hashes" },
    { "lua/core.c", '#include "simulator/simulator.h"', "only lua/lsimulator.c uses the simulator" },
  }
  for _, case in ipairs(broken) do
    it("is seen broken: " .. case[1] .. " with " .. case[2], function()
      local status, output = check { [case[1]] = case[2] }
      assert.equal(1, status)
      assert.truthy(output:find(case[3], 1, true), output)
    end)
  end

  it("allows what is below", function()
    assert.equal(0, (check { ["client/x.c"] = '#include "net/url.h"' }))
    assert.equal(0, (check { ["lua/x.c"] = "#include <lua.h>" }))
    assert.equal(0, (check { ["simulator/x.c"] = '#include "crypto/keccak.h"' }))
  end)
end)

describe("who calls whom", function()
  local function house()
    return {
      ["base/low.h"] = "int cds_low(int x);",
      ["base/low.c"] = "int cds_low(int x) { return x; }",
      ["net/mid.h"] = "/* cds_high is no concern of ours */ int cds_mid(int x); extern int cds_table[2];",
      ["net/mid.c"] = "int cds_low(int); int cds_table[2]; int cds_mid(int x) { return cds_low(x) + cds_table[0]; }",
      ["net/high.h"] = "static inline int high_twice(int x) { return cds_mid(x) + cds_mid(x); } int cds_high(int x);",
      ["net/high.c"] = "int cds_mid(int); int cds_high(int x) { return cds_mid(x) + 1; }",
    }
  end

  local function check_with(changes)
    local files = house()
    for path, text in pairs(changes) do files[path] = text end
    return check(files)
  end

  it("is printed floor by floor", function()
    local status, output = check(house())
    assert.equal(0, status, output)
    assert.equal("net         2  high\n            1  mid\nbase        1  low\n"
      .. "0 includes keep to their layers, and 3 files call in one direction\n", output)
  end)

  it("goes down by the folders, whatever is included", function()
    local status, output = check_with {
      ["base/low.c"] = "int cds_mid(int); int cds_low(int x) { return x ? cds_mid(x - 1) : 0; }",
    }
    assert.equal(1, status)
    assert.truthy(output:find("base/low.c calls cds_mid of net/mid.c: base is below net", 1, true), output)
  end)

  it("is no circle: the shortest is shown with the names that tie it", function()
    local status, output = check_with {
      ["net/mid.c"] = "int cds_a(int); int cds_high(int); int cds_table[2];"
        .. "int cds_mid(int x) { return cds_a(x) + cds_high(x); }",
      ["net/a.c"] = "int cds_b(int); int cds_a(int x) { return cds_b(x); }",
      ["net/a.h"] = "int cds_a(int x);",
      ["net/b.c"] = "int cds_mid(int); int cds_b(int x) { return cds_mid(x); }",
      ["net/b.h"] = "int cds_b(int x);",
    }
    assert.equal(1, status)
    assert.truthy(output:find("net/high -> net/mid -> net/high: a circle\n  net/high calls cds_mid\n"
      .. "  net/mid calls cds_high\n", 1, true), output)
    assert.falsy(output:find("net/b", 1, true), output)
  end)

  it("is a circle through three files too", function()
    local status, output = check_with {
      ["net/mid.c"] = "int cds_a(int); int cds_table[2]; int cds_mid(int x) { return cds_a(x); }",
      ["net/a.c"] = "int cds_high(int); int cds_a(int x) { return cds_high(x); }",
      ["net/a.h"] = "int cds_a(int x);",
    }
    assert.equal(1, status)
    assert.truthy(output:find("net/a -> net/high -> net/mid -> net/a: a circle", 1, true), output)
  end)

  it("asks for a symbol's declaration in the header of the file that defines it", function()
    local status, output = check_with { ["net/mid.h"] = "int cds_mid(int x); /* extern int cds_table[2]; */" }
    assert.equal(1, status)
    assert.truthy(output:find("net/mid.c defines cds_table, and net/mid.h does not declare it", 1, true), output)
  end)

  it("asks that no header declares what another file defines", function()
    local status, output = check_with { ["net/high.h"] = "int cds_high(int x); int cds_low(int x);" }
    assert.equal(1, status)
    assert.truthy(output:find("net/high.h declares cds_low, which base/low.c defines", 1, true), output)
  end)

  it("asks that a part of a stream is its file's own", function()
    local status, output = check_with {
      ["stream/outlet.h"] = "struct cds_stream; int cds_outlet(struct cds_stream *stream);",
      ["stream/outlet.c"] = "struct cds_stream { int outlet; }; int cds_outlet(struct cds_stream *stream)"
        .. "{ return stream->outlet; }",
      ["stream/fleet.h"] = "struct cds_stream; int cds_fleet(struct cds_stream *stream);",
      ["stream/fleet.c"] = "struct cds_stream { int outlet; };\nint cds_fleet(struct cds_stream *stream)"
        .. "{ return stream->outlet; }",
    }
    assert.equal(1, status)
    assert.truthy(output:find("stream/fleet.c:2: reaches into outlet, which is stream/outlet.c's own", 1, true), output)
    assert.falsy(output:find("stream/outlet.c:1", 1, true), output)
  end)

  it("asks for short files", function()
    assert.equal(0, (check_with { ["net/mid.h"] = house()["net/mid.h"] .. ("\n"):rep(348) }))
    local status, output = check_with { ["net/mid.h"] = house()["net/mid.h"] .. ("\n"):rep(349) }
    assert.equal(1, status)
    assert.truthy(output:find("net/mid.h has 350 lines, at most 349 are wanted", 1, true), output)
  end)

  it("is not asked of what is not built", function()
    local folder, remove = project.folder()
    project.run(("mkdir -p %s/src/net"):format(folder))
    project.write(folder .. "/src/net/mid.c", "int x;\n")
    local output, status = project.run(("%s scripts/layers %s/src %s"):format(project.lua, folder, folder))
    remove()
    assert.equal(1, status)
    assert.truthy(output:find("net/mid.c has no object file: build first", 1, true), output)
  end)
end)
