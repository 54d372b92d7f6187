// Place of a workgroup in a grid that was folded to two dimensions, because a dimension holds 65,535 groups at most.
fn group_index(id: vec3<u32>, count: vec3<u32>) -> u32 {
    return id.y * count.x + id.x;
}
