# SPDX-License-Identifier: GPL-2.0-or-later
#
# terminal.zsh DIR LINES HITS: what zsh offers behind each line of the file LINES with the completion
# functions of DIR, as tests/completion/run wants it. A zsh on a terminal of its own, where the real
# system of completion runs; what it hands to the editor (compadd) is written to the file HITS.
zmodload zsh/zpty

cat >$3.rc <<EOT
PS1= PS2= RPS1=
fpath=($1 \$fpath)
autoload -Uz compinit
compinit -u -D
# What matches, by the words that stand before and behind.
compadd() {
	local -a hits
	if [[ \${(M)@:#-[ODA]} != '' ]]; then
		builtin compadd "\$@"
		return
	fi
	builtin compadd -O hits "\$@"
	(( \$#hits )) && print -rl -- "\$IPREFIX"\${^hits} >>$3
	builtin compadd "\$@"
}
show() {
	_main_complete
	compstate[insert]= compstate[list]=
	print -r -- . >>$3.done
}
zle -C show complete-word show
bindkey '^X' show
EOT

zpty terminal "zsh -f -i"
zpty -w terminal ". $3.rc; print -r -- . >>$3.done"

# done_is N: N answers have come, for ten seconds at the most.
done_is() {
	local tries=0 junk
	while (( tries++ < 1000 )); do
		while zpty -rt terminal junk 2>/dev/null; do :; done
		[[ -e $3.done && $(wc -l <$3.done) -ge $4 ]] && return
		sleep 0.01
	done
	print -u2 "zsh does not answer"
	exit 1
}

integer n=1
done_is "$@" $n 2>/dev/null || exit
while IFS= read -r line; do
	: >$3
	zpty -wn terminal "$line"$'\x18'
	done_is $1 $2 $3 $((++n))
	zpty -wn terminal $'\x15'
	print -r -- "> $line"
	LC_ALL=C sort -u $3
	print
done <$2
zpty -d terminal
