<?php
// Reads requests from descriptor 3 and answers on descriptor 4; see sandbox/runner/records.py for both.
// A fatal error, such as a function that is declared again, ends PHP: its kernel then starts it again.
class MadangInterrupt extends Exception {}

$__madang = new class {
    private const KEYWORDS = [
        'abstract', 'array', 'break', 'case', 'catch', 'class', 'clone', 'const', 'continue', 'default', 'do', 'echo',
        'else', 'elseif', 'enum', 'extends', 'final', 'finally', 'fn', 'for', 'foreach', 'function', 'global', 'if',
        'implements', 'instanceof', 'interface', 'isset', 'match', 'namespace', 'new', 'private', 'protected', 'public',
        'readonly', 'require', 'return', 'static', 'switch', 'throw', 'trait', 'try', 'unset', 'use', 'while', 'yield',
    ];
    private $cells;
    private $records;
    private bool $running = false;

    public function __construct()
    {
        $this->cells = fopen('php://fd/3', 'r');
        $this->records = fopen('php://fd/4', 'w');
        if (function_exists('pcntl_signal')) {
            pcntl_async_signals(true);
            pcntl_signal(SIGINT, function () {
                if ($this->running) {
                    throw new MadangInterrupt();
                }
            });
        }
    }

    public function say(string $kind, string $text = ''): void
    {
        fwrite($this->records, "$kind\n" . str_replace("\0", '', $text) . "\0");
    }

    /** The next cell; what else is asked meanwhile is answered. */
    public function read(): ?string
    {
        while (($request = $this->request()) !== null) {
            [$kind, $text] = explode("\n", $request, 2);
            if ($kind === 'run') {
                // A whole file begins in HTML, a cell that is typed in PHP.
                return str_contains($text, '<?') ? "?>$text" : $text;
            }
            $this->$kind($text);
            $this->say('done');
        }
        return null;
    }

    private function request(): ?string
    {
        $text = '';
        while (true) {
            $letter = @fgetc($this->cells);
            if ($letter === "\0") {
                return $text;
            }
            if ($letter === false) {
                if (feof($this->cells)) {
                    return null;
                }
                continue;
            }
            $text .= $letter;
        }
    }

    private function complete(string $text): void
    {
        if (preg_match('/\$(\w+)->(\w*)$/', $text, $found)) {
            $object = $GLOBALS[$found[1]] ?? null;
            $names = is_object($object) ? [...get_class_methods($object), ...array_keys(get_object_vars($object))] : [];
        } elseif (preg_match('/([\w\\\\]+)::(\w*)$/', $text, $found)) {
            $class = class_exists($found[1], false) ? new ReflectionClass($found[1]) : null;
            $names = $class ? [...get_class_methods($found[1]), ...array_keys($class->getConstants())] : [];
        } elseif (preg_match('/(\$)(\w*)$/', $text, $found)) {
            $names = array_filter(array_keys($GLOBALS), fn ($name) => !str_starts_with($name, '__'));
        } else {
            preg_match('/()([\w\\\\]*)$/', $text, $found);
            $functions = array_merge(...array_values(get_defined_functions()));
            $names = [...$functions, ...get_declared_classes(), ...array_keys(get_defined_constants()), ...self::KEYWORDS];
        }
        $fitting = array_filter($names, fn ($name) => stripos($name, $found[2]) === 0);
        sort($fitting);
        $this->say('answer', implode("\n", [$found[2], ...array_unique($fitting)]));
    }

    private function inspect(string $text): void
    {
        if (!preg_match('/(\$?)([\w\\\\]+)$/', $text, $found)) {
            return;
        }
        [, $variable, $name] = $found;
        if ($variable && array_key_exists($name, $GLOBALS)) {
            $this->say('answer', gettype($GLOBALS[$name]) . ': ' . substr(print_r($GLOBALS[$name], true), 0, 10000));
        } elseif (!$variable && function_exists($name)) {
            $this->say('answer', trim((string) new ReflectionFunction($name)));
        } elseif (!$variable && class_exists($name, false)) {
            $this->say('answer', trim((string) new ReflectionClass($name)));
        }
    }

    private function whole(string $text): void
    {
        try {
            token_get_all(str_contains($text, '<?') ? $text : "<?php $text", TOKEN_PARSE);
            $this->say('answer', 'complete');
        } catch (ParseError $error) {
            $open = preg_match('/unexpected end of file|Unterminated|Unclosed/', $error->getMessage());
            $this->say('answer', $open ? 'incomplete' : 'invalid');
        }
    }

    public function begin(): void
    {
        $this->running = true;
        fseek(STDIN, 0, SEEK_CUR); // forgets that the input of the cell before had ended
    }

    public function end(?Throwable $error): void
    {
        $this->running = false;
        if ($error instanceof MadangInterrupt) {
            $this->say('error', "Interrupted\nThe cell was interrupted.");
        } elseif ($error !== null) {
            $name = get_class($error);
            $what = $error->getMessage();
            $this->say('error', "$name\n$what\n$name: $what\n    at cell, line {$error->getLine()}");
        }
        $this->say('done');
    }
};

$__madang->say('ready');
while (($__code = $__madang->read()) !== null) {
    $__error = null;
    $__madang->begin();
    try {
        eval($__code);
    } catch (Throwable $__error) {
    }
    $__madang->end($__error);
}
