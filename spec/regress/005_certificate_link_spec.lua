-- SPDX-License-Identifier: MIT
-- The simulator wrote its authority's certificate by way of ca.pem.new, a name that anyone could guess, and followed a
-- symbolic link of that name: it overwrote what its user may write to.

local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

describe("a simulator that writes its certificate", function()
  local folder, remove
  before_each(function()
    folder, remove = project.folder()
  end)
  after_each(function() remove() end)

  local function start()
    local sim = simulator.start { certificate_dir = folder, feeds = 1 }
    finally(function() sim:stop() end)
    local client = sim:client {}
    assert.are.equal(1, #assert(client:get_feeds()))
    client:close()
  end

  for _, name in ipairs { "ca.pem.new", "ca.pem" } do
    it("follows no link named " .. name, function()
      project.write(folder .. "/precious", "precious")
      assert.are.equal(0, select(2, project.run(("ln -s precious %s/%s"):format(folder, name))))
      start()
      assert.are.equal("precious", project.read(folder .. "/precious"))
    end)
  end

  it("replaces the one of a simulator before, and leaves nothing else", function()
    project.write(folder .. "/ca.pem", "old")
    start()
    assert.matches("^%-%-%-%-%-BEGIN CERTIFICATE", project.read(folder .. "/ca.pem"))
    assert.are.equal("ca.pem\n644\n", (project.run(("ls %s; stat -c %%a %s/ca.pem"):format(folder, folder))))
  end)
end)
