"""Every tuned constant of the comparison: lengths in pixels at 500 ppi, angles in radians.

Origin "MCC" is Cappelli, Ferrara and Maltoni, "Minutia Cylinder-Code", TPAMI 32(12), 2010, table 1;
"tuned" means chosen by all-pairs errors on several sensors at once, one value for all of them.
"""

from __future__ import annotations

import math
from typing import Final

# --- local descriptor: one cylinder a minutia ---------------------------------------------------

#: Cells along each side of the cylinder's base (MCC Ns).
CYLINDER_CELLS: Final = 8
#: Angular sections of the cylinder (MCC Nd).
CYLINDER_SECTIONS: Final = 6
#: Radius of the neighbourhood a cylinder sees, px (MCC R).
CYLINDER_RADIUS: Final = 70.0
#: Spread of one neighbour's contribution in space, px (MCC sigma_S).
CYLINDER_SIGMA_PX: Final = 28.0 / 3.0
#: Spread of one neighbour's contribution in direction, rad (MCC sigma_D).
CYLINDER_SIGMA_ANGLE: Final = 2.0 * math.pi / 9.0
#: Centre of the sigmoid that saturates a cell (MCC mu_psi).
CYLINDER_SIGMOID_CENTRE: Final = 0.01
#: Steepness of that sigmoid (MCC tau_psi).
CYLINDER_SIGMOID_SLOPE: Final = 400.0
#: A cell counts when it lies this near to the minutiae's convex hull, px (MCC Omega).
CYLINDER_HULL_MARGIN: Final = 50.0
