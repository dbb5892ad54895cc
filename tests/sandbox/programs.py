"""One program in each language, of two files, that does what its input says: greet, exit, fail, loop, eat or fork."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """``files``: the first is the program. ``broken``: a line that the first file cannot have, and what is said of it.

    ``forks``: whether it starts processes (or threads) without end where it is told to.
    """

    files: dict[str, str]
    broken: str
    said: str
    forks: bool = True


PROGRAMS = {
    "python": Written(
        {
            "main.py": """import helper, os, sys
what = input()
if what == "greet": print("안녕", helper.place)
if what == "exit": sys.exit(7)
if what == "fail": raise ValueError("nonsense")
while what == "loop": pass
kept = []
while what == "eat": kept.append(b"x" * 10_000_000)
while what == "fork": os.fork()
""",
            "helper.py": "place = '마당'\n",
        },
        "def",
        "line 2",
    ),
    "bash": Written(
        {
            "main.sh": """. ./helper.sh
read -r what
[ "$what" = greet ] && echo "안녕 $place"
[ "$what" = exit ] && exit 7
[ "$what" = fail ] && { set -e; nonsense; }
while [ "$what" = loop ]; do :; done
[ "$what" = eat ] && { x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done; }
bomb() { bomb | bomb & }
[ "$what" = fork ] && { bomb; wait; while :; do :; done; }
true
""",
            "helper.sh": "place=마당\n",
        },
        "fi",
        "line 2",
    ),
    "c": Written(
        {
            "main.c": """#include "helper.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
    char what[20] = "";
    if (scanf("%19s", what) != 1) return 1;
    if (!strcmp(what, "greet")) printf("안녕 %s\\n", PLACE);
    if (!strcmp(what, "exit")) return 7;
    if (!strcmp(what, "fail")) { fprintf(stderr, "nonsense\\n"); abort(); }
    while (!strcmp(what, "loop")) ;
    while (!strcmp(what, "eat")) memset(malloc(10000000), 1, 10000000);
    while (!strcmp(what, "fork")) fork();
    return 0;
}
""",
            "helper.h": '#define PLACE "마당"\n',
        },
        "nonsense nonsense;",
        "main.c:2:",
    ),
    "cpp": Written(
        {
            "main.cpp": """#include "helper.hpp"
#include <iostream>
#include <stdexcept>
#include <vector>
#include <unistd.h>
int main()
{
    std::string what;
    std::cin >> what;
    if (what == "greet") std::cout << "안녕 " << place << "\\n";
    if (what == "exit") return 7;
    if (what == "fail") throw std::runtime_error("nonsense");
    while (what == "loop") ;
    std::vector<std::vector<char>> kept;
    while (what == "eat") kept.emplace_back(10000000, 'x');
    while (what == "fork") fork();
}
""",
            "helper.hpp": '#include <string>\nconst std::string place = "마당";\n',
        },
        "nonsense;",
        "main.cpp:2:",
    ),
    "java": Written(
        {
            "Main.java": """import java.util.*;
public class Main {
    public static void main(String[] arguments) throws Exception {
        String what = new Scanner(System.in).nextLine();
        if (what.equals("greet")) System.out.println("안녕 " + Helper.PLACE);
        if (what.equals("exit")) System.exit(7);
        if (what.equals("fail")) throw new IllegalStateException("nonsense");
        while (what.equals("loop")) ;
        List<byte[]> kept = new ArrayList<>();
        while (what.equals("eat")) kept.add(new byte[10_000_000]);
        while (what.equals("fork")) new Thread(() -> { while (true) ; }).start();
    }
}
""",
            "Helper.java": 'class Helper { static final String PLACE = "마당"; }\n',
        },
        "nonsense",
        "Main.java:2:",
    ),
    "javascript": Written(
        {
            "main.js": """const { place } = require("./helper");
const what = require("fs").readFileSync(0, "utf8").trim();
if (what === "greet") console.log(`안녕 ${place}`);
if (what === "exit") process.exit(7);
if (what === "fail") throw new Error("nonsense");
while (what === "loop");
const kept = [];
while (what === "eat") kept.push(Buffer.alloc(10_000_000, 1));
while (what === "fork") require("child_process").spawn(process.execPath, ["-e", "for (;;);"]);
""",
            "helper.js": 'exports.place = "마당";\n',
        },
        "let let = 1;",
        "main.js:2",
    ),
    "typescript": Written(
        {
            "main.ts": """import { place } from "./helper";
const what: string = require("fs").readFileSync(0, "utf8").trim();
if (what === "greet") console.log(`안녕 ${place}`);
if (what === "exit") process.exit(7);
if (what === "fail") throw new Error("nonsense");
while (what === "loop");
const kept: Uint8Array[] = [];
while (what === "eat") kept.push(Buffer.alloc(10_000_000, 1));
""",
            "helper.ts": 'export const place: string = "마당";\n',
        },
        "const n: number = 'x';",
        "main.ts(2,",
        forks=False,
    ),
    "lua": Written(
        {
            "main.lua": """local helper = require "helper"
local what = io.read()
if what == "greet" then print("안녕 " .. helper.place) end
if what == "exit" then os.exit(7) end
if what == "fail" then error("nonsense") end
while what == "loop" do end
local kept = {}
while what == "eat" do kept[#kept + 1] = string.rep(tostring(#kept), 10000000) end
while what == "fork" do os.execute("sleep 60 &") end
""",
            "helper.lua": 'return { place = "마당" }\n',
        },
        "if",
        "main.lua:3:",
    ),
    "php": Written(
        {
            "main.php": """<?php require 'helper.php';
$what = trim(fgets(STDIN));
if ($what == 'greet') echo "안녕 $place\\n";
if ($what == 'exit') exit(7);
if ($what == 'fail') throw new Exception('nonsense');
while ($what == 'loop');
ini_set('memory_limit', -1);
while ($what == 'eat') $kept[] = str_repeat('x', 10000000);
while ($what == 'fork') pcntl_fork();
""",
            "helper.php": "<?php $place = '마당';\n",
        },
        "if",
        "on line 3",
    ),
    "perl": Written(
        {
            "main.pl": """require "./helper.pl";
chomp(my $what = <STDIN>);
print "안녕 $place\\n" if $what eq "greet";
exit 7 if $what eq "exit";
die "nonsense" if $what eq "fail";
while ($what eq "loop") {}
my @kept;
while ($what eq "eat") { push @kept, "x" x 10000000 . @kept; }
while ($what eq "fork") { fork; }
""",
            "helper.pl": '$place = "마당"; 1;\n',
        },
        "if;",
        "line 2",
    ),
    "go": Written(
        {
            "main.go": """package main
import ("fmt"; "madang/helper"; "os"; "os/exec")
func main() {
    var what string
    fmt.Scanln(&what)
    if what == "greet" { fmt.Println("안녕", helper.Place) }
    if what == "exit" { os.Exit(7) }
    if what == "fail" { panic("nonsense") }
    for what == "loop" {}
    kept := [][]byte{}
    for what == "eat" {
        more := make([]byte, 10000000)
        for i := range more { more[i] = 1 }
        kept = append(kept, more)
    }
    for what == "fork" { exec.Command("sleep", "60").Start() }
}
""",
            "helper/helper.go": 'package helper\nconst Place = "마당"\n',
            "go.mod": "module madang\n",
        },
        "nonsense",
        "main.go:2:",
    ),
    "rust": Written(
        {
            "main.rs": """mod helper;
fn main() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let what = line.trim();
    if what == "greet" { println!("안녕 {}", helper::PLACE); }
    if what == "exit" { std::process::exit(7); }
    if what == "fail" { panic!("nonsense"); }
    while what == "loop" {}
    let mut kept = Vec::new();
    while what == "eat" { kept.push(vec![1u8; 10_000_000]); }
    while what == "fork" { let _ = std::process::Command::new("sleep").arg("60").spawn(); }
}
""",
            "helper.rs": 'pub const PLACE: &str = "마당";\n',
        },
        "nonsense",
        "main.rs:3:",
    ),
    "haskell": Written(
        {
            "main.hs": """module Main where
import Helper
import System.Exit
main :: IO ()
main = getLine >>= act
act :: String -> IO ()
act "greet" = putStrLn ("안녕 " ++ place)
act "exit" = exitWith (ExitFailure 7)
act "fail" = error "nonsense"
act "loop" = loop 0
act "eat" = let kept = [1 ..] :: [Integer] in print (last kept) >> print (length kept)
act _ = return ()
loop :: Integer -> IO ()
loop n = if n < 0 then return () else loop (n + 1)
""",
            "Helper.hs": 'module Helper where\nplace :: String\nplace = "마당"\n',
        },
        "nonsense",
        "main.hs:3:",
        forks=False,
    ),
    "r": Written(
        {
            "main.R": """source("helper.R")
what <- readLines(file("stdin"), 1)
if (what == "greet") cat("안녕", place, "\\n")
if (what == "exit") quit(status = 7)
if (what == "fail") stop("nonsense")
while (what == "loop") {}
kept <- list()
while (what == "eat") kept[[length(kept) + 1]] <- rep(1, 1e6)
while (what == "fork") system("sleep 60 &")
""",
            "helper.R": 'place <- "마당"\n',
        },
        "1 1",
        '"1 1"',  # R tells no line of what it cannot read
    ),
    "octave": Written(
        {
            "main.m": """what = strtrim(fgetl(stdin));
if strcmp(what, "greet") printf("안녕 %s\\n", helper()); end
if strcmp(what, "exit") exit(7); end
if strcmp(what, "fail") error("nonsense"); end
while strcmp(what, "loop") end
kept = {};
while strcmp(what, "eat") kept{end + 1} = ones(1, 1e6) * numel(kept); end
while strcmp(what, "fork") system("sleep 60 &"); end
""",
            "helper.m": 'function place = helper()\n  place = "마당";\nend\n',
        },
        "1 = = 2",
        "line 2",
    ),
    "julia": Written(
        {
            "main.jl": """include("helper.jl")
what = readline()
what == "greet" && println("안녕 ", place)
what == "exit" && exit(7)
what == "fail" && error("nonsense")
while what == "loop" end
kept = []
while what == "eat" push!(kept, ones(10^6)) end
while what == "fork" run(`sleep 60`, wait = false) end
""",
            "helper.jl": 'place = "마당"\n',
        },
        "end",
        "main.jl:2",
    ),
}
