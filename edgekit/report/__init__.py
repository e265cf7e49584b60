"""What people would rather look at: pictures of profiles, and the published memory figures beside ours."""
