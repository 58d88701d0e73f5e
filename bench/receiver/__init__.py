"""The part of the site that receives bundles: keeps them with a log, moderates, confirms accounts."""
