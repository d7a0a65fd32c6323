# SPDX-License-Identifier: GPL-2.0-or-later
#
# gnuplot: drawn by tests/bench/plot, which sets dir, format, out, where and has_boot.

if (format eq "svg") {
	set terminal svg size 960,420 font "sans-serif,13" background "white"
} else {
	set terminal pngcairo size 1440,630 font "sans-serif,13" fontscale 1.4 linewidth 1.4
}
set output out
set datafile separator "\t"
set multiplot layout 1,1 + has_boot title where font ",11"

set title "Finding one function: processor time of the whole run"
set xlabel "PCI functions of the machine"
set ylabel "ms"
set logscale xy
set format x "%.0f"
set format y "%g"
set xtics (64, 256, 1024, 4096, 16384, 65536)
set xrange [50:90000]
set key top left Left reverse samplen 2
set grid ytics lc rgb "#dddddd"
plot dir."/scan" using 1:4 with linespoints lw 2 pt 5 lc rgb "#c25b3f" title "dash", \
	"" using 1:2 with linespoints lw 2 pt 7 lc rgb "#1f5fa8" title "vfio-early, by ID", \
	"" using 1:3 with linespoints lw 2 pt 9 lc rgb "#888888" title "floor: one read each", \
	"" using 1:5 with linespoints lw 2 pt 13 lc rgb "#3f8f5b" title "vfio-early, by address"

if (has_boot) {
	unset logscale
	unset xlabel
	unset key
	set title "Handing over four functions: start to verified bind"
	set format "%g"
	set xtics auto
	set autoscale x
	set yrange [0:*]
	set offsets 0, 0, graph 0.1, 0
	set xrange [-0.6:3.6]
	set style fill solid 0.9 noborder
	set boxwidth 0.6
	plot dir."/boot" using 0:2:($0 == 1 ? 0x1f5fa8 : 0xaaaaaa):xtic(1) with boxes lc rgb variable, \
		"" using 0:2:(sprintf("%.0f ms", $2)) with labels offset 0,0.6
}
unset multiplot
