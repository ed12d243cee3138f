/*
 * faults - one swarm with faults of every sort in a random mix.
 *
 * 3 to 60 hosts and 8 to 400 pieces, spread evenly on a log scale. Until a time
 * that is drawn, connections are lost, hosts die and come back, the network
 * falls in two; disks are slow, end jobs out of order, and some fail; up to
 * two fifths of the hosts are evil; every setting is drawn. In one of eight
 * worlds the seed dies for good.
 *
 * What must come of it, by sim_bound():
 *  1. if the seed lives, every honest leech whose disk lasts finishes;
 *  2. if it died, each has at the end all that the living have together;
 *  3. one whose disk failed stops, and goes on from what it has if it returns.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "world.h"

/* n 0: drawn. Sets the world's own limit. */
void	sim_faults_build(struct sim *s, unsigned n);

#endif
