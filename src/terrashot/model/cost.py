"""What a tower costs, from its shape alone."""

from terrashot.model.towers import TowersConfig


def forward_flops(config: TowersConfig) -> float:
    """Floating-point operations (two a multiply-add) of one tower on one chip; forward and backward are three times it.

    Matrix products only: patch embedding; 24 n d^2 + 4 n^2 d a layer of width d over n tokens; of the last layer what
    the class token needs; the projection.
    """
    vit, d = config.vit, config.vit.width
    patches = vit.side_patches**2
    n = patches + 1
    layer = 24 * n * d**2 + 4 * n**2 * d
    last_layer = 4 * n * d**2 + 4 * n * d + 20 * d**2
    return 2.0 * patches * vit.patch_px**2 * d + (vit.depth - 1) * layer + last_layer + 2 * d * config.embedding
