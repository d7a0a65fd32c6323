: # none yet
