"""peers.py - all scenarios of hostile peers."""
import blocks
import chatter
import asking
from scene import SCENES
