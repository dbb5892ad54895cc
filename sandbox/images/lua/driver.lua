-- Reads cells from descriptor 3 and runs them; see sandbox/runner/records.py for what it says on descriptor 4.
-- The stand-alone interpreter makes the first SIGINT an error of whatever runs; a second one ends it, and its kernel
-- starts it again.
local cells = assert(io.open("/dev/fd/3", "rb"))
local records = assert(io.open("/dev/fd/4", "wb"))
io.stdout:setvbuf("line")

local function say(kind, text)
    records:write(kind, "\n", (tostring(text or ""):gsub("\0", "")), "\0")
    records:flush()
end

local function read()
    local parts = {}
    for letter in function() return cells:read(1) end do
        if letter == "\0" then return table.concat(parts) end
        parts[#parts + 1] = letter
    end
end

local function traced(message)
    if type(message) ~= "string" then message = tostring(message) end
    return debug.traceback(message, 2):gsub("\n[^\n]*%[C%]: in function 'xpcall'.*", "")
end

local function run(code)
    -- As in the interpreter's own prompt: an expression's value is shown.
    local chunk, wrong = load("return " .. code, "=cell")
    if not chunk then chunk, wrong = load(code, "=cell") end
    if not chunk then return say("error", "SyntaxError\n" .. wrong) end
    local found = table.pack(xpcall(chunk, traced))
    io.stdout:flush()
    if not found[1] then
        local first = found[2]:match("[^\n]*")
        if first:find("interrupted!", 1, true) then return say("error", "Interrupted\nThe cell was interrupted.") end
        return say("error", "Error\n" .. first .. "\n" .. found[2])
    end
    if found.n > 1 then
        local shown = {}
        for index = 2, found.n do shown[#shown + 1] = tostring(found[index]) end
        say("value", table.concat(shown, "\t"))
    end
end

say("ready")
while true do
    local fine, code = pcall(read)
    if fine and not code then break end
    if fine then
        run(code)
        say("done")
    end
end
