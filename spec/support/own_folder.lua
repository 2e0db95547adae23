-- SPDX-License-Identifier: MIT
-- A folder of its own for each test of a block.

local busted = require "busted"
local project = require "spec.support.project"

--- Makes a new folder before each test, which is removed behind it: take(folder, the path of a file in it).
return function(take)
  local remove
  busted.before_each(function()
    local folder
    folder, remove = project.folder()
    take(folder, folder .. "/file")
  end)
  busted.after_each(function() remove() end)
end
