#!/usr/bin/env bash
# Writes the manual page of a winnow program to standard output, out of what the program's own help
# says of every command: tools/man.sh WINNOW
set -euo pipefail

[ $# -eq 1 ] || {
  sed -n '2,3s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
winnow=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One command's help as a part of the page. What all commands take is said once, below. Commands
# inside it are written to $work/inside, one a line.
part() {
  awk -v inside="$work/inside" '
    function text(s) {
      gsub(/\\/, "\\e", s)
      gsub(/-/, "\\-", s)
      return s ~ /^[.'"'"']/ ? "\\&" s : s
    }
    function shared(entry) {
      return entry ~ /^(-h,--help|--home TEXT|--json|-q,--quiet)$/
    }
    NR == 1 {about = $0; next}
    /^Usage: / {
      sub(/^Usage: /, "")
      printf ".SS %s\n%s\n", text($0), text(about)
      next
    }
    /^[^ ]/ {section = $0; next}
    section == "Subcommands:" {
      if ($0 ~ /^  [^ ]/) print $1 > inside
      next
    }
    /^  [^ ]/ {
      entry = substr($0, 3)
      help = ""
      if (match(entry, /   *[^ ].*$/)) {
        help = substr(entry, RSTART)
        entry = substr(entry, 1, RSTART - 1)
        sub(/^ +/, "", help)
      }
      hidden = shared(entry)
      if (!hidden) printf ".TP\n.B %s\n%s", text(entry), help == "" ? "" : text(help) "\n"
      next
    }
    /^   *[^ ]/ {
      sub(/^ +/, "")
      if (!hidden) print text($0)
    }
  '
}

# commands NAME...: the parts of a command and of those inside it.
commands() {
  local name
  : > "$work/inside"
  "$winnow" "$@" --help > "$work/help"
  part > "$work/part" < "$work/help"
  [ $# -eq 0 ] || cat "$work/part"  # the program itself has the page's head
  local names
  mapfile -t names < "$work/inside"
  for name in "${names[@]}"; do
    [ "$name" = help ] || commands "$@" "$name"
  done
}

version=$("$winnow" --version | head -n 1 | cut -d ' ' -f 2)
cat << END
.TH WINNOW 1 "" "winnow $version" "User Commands"
.SH NAME
winnow \- experiment farm for trading strategies
.SH SYNOPSIS
.B winnow
.I COMMAND
[\fIOPTIONS\fR]
.SH DESCRIPTION
Winnow runs sweeps of many thousand variants of trading strategies over real or simulated markets
on many worker processes, keeps every result, and says which families of variants agree.
.PP
\fBwinnow demo\fR shows the whole of it. \fBwinnow help\fR \fICOMMAND\fR says what this page says of
a command.
.SH OPTIONS
These may stand before the command or after it.
.TP
.B \-\-home DIR
where state lives (default: \$WINNOW_HOME, else ~/.local/share/winnow)
.TP
.B \-\-json
one JSON document on standard output
.TP
.B \-q, \-\-quiet
no progress
.TP
.B \-\-connect HOST:PORT
a running coordinator; without it the one that serves the home
.TP
.B \-\-user NAME
in whose name
.TP
.B \-\-identity FILE
what \fBwinnow cluster invite\fR made, for a coordinator behind a door
.TP
.B \-\-version
version, commit, engine, and the instruction set that kernels use on this machine
.SH COMMANDS
END
commands
cat << 'END'
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
the work failed: also when every trial failed, or output could not be written
.TP
.B 2
bad input or usage
.TP
.B 3
refused by a gate, a limit or an authority
.TP
.B 130
interrupted; the same command goes on where it stopped
.SH ENVIRONMENT
.TP
.B WINNOW_HOME
where state lives, without \-\-home
.TP
.B WINNOW_USER
in whose name, without \-\-user
.TP
.B WINNOW_IDENTITY
file of an identity, without \-\-identity
.TP
.B WINNOW_CONFIGS
configurations to use instead of those that came along
.SH FILES
.TP
.I ../share/winnow/configs
beside the program's folder: execution profiles, simulated markets, example sweeps, rules for
Prometheus
.TP
.I ~/.local/share/winnow
state: datasets, results, the ledger
.TP
.I /etc/winnow/node.conf, /etc/winnow/node.identity
what the service winnow-node joins, and by which identity
.SH SEE ALSO
.IR /usr/share/doc/winnow/README.md ,
.BR systemctl (1)
END
