-- SPDX-License-Identifier: MIT
local project = require "spec.support.project"

describe("the layer rule", function()
  it("is kept", function()
    local output, status = project.run "scripts/layers"
    assert.equal(0, status, output)
    assert.matches("^%d%d+ includes keep to their layers", output)
  end)

  local function check(path, line)
    local folder, remove = project.folder()
    project.run(("mkdir -p %s/%s"):format(folder, path:match "^(.*)/"))
    project.write(folder .. "/" .. path, line .. "\n")
    local output, status = project.run("scripts/layers " .. folder)
    remove()
    return status, output
  end

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
      local status, output = check(case[1], case[2])
      assert.equal(1, status)
      assert.truthy(output:find(case[3], 1, true), output)
    end)
  end

  it("allows what is below", function()
    assert.equal(0, (check("client/x.c", '#include "net/url.h"')))
    assert.equal(0, (check("lua/x.c", "#include <lua.h>")))
    assert.equal(0, (check("simulator/x.c", '#include "crypto/keccak.h"')))
  end)
end)
